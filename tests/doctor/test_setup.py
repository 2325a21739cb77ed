"""`edged setup`, as somebody at a terminal meets it: asked, tried, written, and nothing lost."""

import contextlib
import difflib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edged import plugins, schema, template
from edged.doctor._screen import terminal
from edged.verbs._interview import WORDS
from edged.verbs._questions import Questions

from .. import journals
from .terminal import Terminal

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"
ENTER = ""

OWNERS = """\
# The kitchen's. Do not touch!
[conversation]
follow_up_s = 12      # we are slow

[wake.openwakeword.words.hey_jarvis]
threshold = 0.4

[lights]
drivers = []
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    without = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "OPENAI_API_KEY")
    return {
        **{name: value for name, value in os.environ.items() if name not in without},
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "RUNTIME_DIRECTORY": str(tmp_path),
        "GPIOZERO_PIN_FACTORY": "room",
        "EDGED_ROOM_PINS": str(tmp_path / "pins"),
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "edged.toml"


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a provider that takes only the right key."""

    # The terminal blocks; the provider lives in a process of its own.
    with subprocess.Popen(
        [sys.executable, "-m", "edged", "simulate", "--port", "0", "--key", KEY],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def changed(before: str, after: str) -> list[str]:
    """The rows that went and came."""
    rows = difflib.ndiff(before.splitlines(), after.splitlines())
    return [row for row in rows if row[0] in "+-"]


def sound_and_wake(terminal: Terminal, wake: str = ENTER) -> None:
    terminal.answers(r"The microphone \(\d+\): ")
    terminal.answers(r"The loudspeaker \(\d+\): ")
    terminal.answers("Try them", "n")
    terminal.answers("What wakes it", wake)
    terminal.answers("Try it", "n")


def test_a_new_speaker(environment: dict[str, str], config: Path, url: str) -> None:
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", url)
        terminal.reads("✔ network")
        terminal.answers("The key: ", KEY)
        terminal.reads(rf"✔ key +{len(KEY)} characters, from the answer just given")
        terminal.reads("✔ provider .*answers, and takes the configuration")
        sound_and_wake(terminal, "2")
        terminal.answers(r"The light \(1\): ", "2")
        terminal.answers("GPIO number of its pin", "18")
        terminal.answers("Did the light go through", "y")
        terminal.reads("✔ lights")
        terminal.answers(r"The button \(1\): ", "2")
        terminal.reads("To be written")
        terminal.answers("Write it", "y")
        assert terminal.ends() == 0
        assert KEY not in terminal.said
        assert f"Ready: edged run --config {config}" in terminal.said
    kept = config.parent / "credentials" / "openai"
    assert changed(template.text(), config.read_text()) == [
        '- # url = "wss://api.openai.com/v1/realtime"',
        f'+ url = "{url}"',
        '- # file = ""',
        f'+ file = "{kept}"',
        '- # kind = "rgb"',
        '+ kind = "pwm"',
        "- # pin = 22",
        "+ pin = 18",
        '- # drivers = ["gpio"]',
        "+ drivers = []",
        "+ ",
        "+ [wake.openwakeword.words.alexa]",
    ]
    assert kept.read_text() == KEY + "\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert KEY not in config.read_text()
    settings = schema.read(config)
    assert settings.buttons == ()
    assert list(vars(settings.wake.settings)["words"]) == ["alexa"]
    command = [sys.executable, "-m", "edged", "doctor", "provider", "--online"]
    asked = subprocess.run(
        [*command, "--config", str(config)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert asked.returncode == 0, asked.stdout


def test_the_owners_file_keeps_all_that_is_theirs(
    environment: dict[str, str], config: Path, url: str
) -> None:
    config.write_text(OWNERS)
    config.chmod(0o640)
    drop_in = config.with_name("edged.toml.d") / "10.toml"
    drop_in.parent.mkdir()
    drop_in.write_text('[provider.openai]\nurl = "ws://127.0.0.1:9/v1"\n')
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", url)
        terminal.answers("The key: ", KEY)
        terminal.answers(r"The microphone \(\d+\): ")
        terminal.answers(r"The loudspeaker \(\d+\): ")
        terminal.answers("Try them", "n")
        terminal.answers("What wakes it", "2")
        terminal.reads("hey_jarvis will wake it, too")
        terminal.answers("Try it", "n")
        terminal.answers(r"The light \(5\): ")
        terminal.answers(r"The button \(1\): ", "2")
        terminal.answers("Write it", "y")
        terminal.reads("10.toml, which is read later, says otherwise")
        assert terminal.ends() == 0
    gone = [row for row in changed(OWNERS, config.read_text()) if row.startswith("-")]
    assert gone == []
    assert config.with_name("edged.toml.bak").read_text() == OWNERS
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert stat.S_IMODE(config.with_name("edged.toml.bak").stat().st_mode) == 0o640


def test_whoever_answers_nothing_new_changes_nothing(
    environment: dict[str, str], config: Path, url: str
) -> None:
    (config.parent / "key").touch(0o600)
    (config.parent / "key").write_text(KEY)
    written = (
        f'{OWNERS}[buttons]\ndrivers = []\n[provider.openai]\nurl = "{url}"\n'
        f'[key]\nfile = "{config.parent}/key"\n'
    )
    config.write_text(written)
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers(r"Who answers \(2\): ")
        terminal.answers("Its address")
        terminal.answers(r"There is a key \(file .*key\). Give another one\?", "n")
        terminal.reads("✔ provider")
        sound_and_wake(terminal)
        terminal.answers(r"The light \(5\): ")
        terminal.answers(r"The button \(2\): ")
        terminal.reads("nothing: all is as it was")
        assert terminal.ends() == 0
    assert config.read_text() == written
    assert sorted(each.name for each in config.parent.glob("*.toml*")) == ["edged.toml"]


def test_a_provider_that_was_written_by_hand_is_left_alone(
    environment: dict[str, str], config: Path
) -> None:
    written = f'{OWNERS}[provider]\ndriver = "legacy"\n'
    config.write_text(written)
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.reads("The provider is legacy: nothing to choose.")
        terminal.reads("(The key|Give another one|What now).*: ")
        terminal.presses("\x03")
        terminal.reads("Left as it was: nothing is written")
    assert config.read_text() == written


@pytest.mark.parametrize("parting", ["\x03", "\x04", "3\r"])
@pytest.mark.parametrize("there", [True, False])
def test_whoever_leaves_leaves_all_as_it_was(
    environment: dict[str, str], config: Path, parting: str, there: bool
) -> None:
    if there:
        config.write_text(OWNERS)
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", "wss://edged.invalid/v1")
        terminal.reads("✘ network")
        terminal.reads("What now.*: ")
        terminal.presses(parting)
        terminal.reads("Left as it was: nothing is written")
        assert terminal.ends() == 1
    assert config.exists() is there
    assert not there or config.read_text() == OWNERS
    assert not (config.parent / "credentials").exists()


def test_what_does_not_work_can_be_asked_again(
    environment: dict[str, str], config: Path, url: str
) -> None:
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", "wss://edged.invalid/v1")
        terminal.reads("→ correct `url`")
        terminal.answers("What now", "1")
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", url)
        terminal.reads("✔ network")
        terminal.answers("The key: ", "sk-not-the-right-one-at-all")
        terminal.reads("✘ provider +key: ")
        terminal.answers("What now", "1")
        terminal.answers("The key: ", KEY)
        terminal.reads("✔ provider")
        terminal.presses("\x03")
        assert terminal.ends() == 1


def test_a_pin_that_is_taken_is_asked_for_again(
    environment: dict[str, str], config: Path, url: str
) -> None:
    config.write_text("[buttons.gpio.mute_switch]\npin = 6\n[wake]\ndriver = 'button'\n")
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", url)
        terminal.answers("The key: ", KEY)
        sound_and_wake(terminal)
        terminal.answers("The light", "3")
        terminal.answers("GPIO number of its pin", "4")
        terminal.answers("Did the light go through", "y")
        terminal.answers("The button", "1")
        terminal.answers("Its GPIO number", "6")
        terminal.reads("✘ config .*wired.talk and mute_switch are both on GPIO 6")
        terminal.answers("What now", "1")
        terminal.answers("The button", "1")
        terminal.answers("Its GPIO number", "4")
        terminal.reads("✘ config .*is on GPIO 4, and so is lights.gpio.pin")
        assert "go on as it is" not in terminal.said
        terminal.answers("What now", "2")
        assert terminal.ends() == 1


def test_a_setting_in_a_line_of_its_owners_making_is_left_to_them(
    environment: dict[str, str], config: Path, url: str
) -> None:
    written = f'provider = {{openai = {{url = "{url}"}}}}\nbuttons = {{drivers = []}}\n'
    config.write_text(written)
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers(r"Who answers \(2\): ", "1")
        terminal.answers("What now", "2")
        terminal.answers("The key: ", KEY)
        sound_and_wake(terminal)
        terminal.answers("The light", "5")
        terminal.answers(r"The button \(2\): ")
        terminal.answers("Write it", "y")
        terminal.reads("provider.openai.url cannot be changed in this file")
        terminal.reads(r'write it by hand: url = "wss://api.openai.com/v1/realtime"')
        assert terminal.ends() == 1
    assert config.read_text() == written
    assert not (config.parent / "credentials").exists()


def test_a_mistake_is_told_before_anything_is_asked(
    environment: dict[str, str], config: Path
) -> None:
    config.write_text("[volume]\ndb = 7\n")
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.reads(r"edged\.toml:2: volume\.db: expected")
        assert terminal.ends() == 78
    assert config.read_text() == "[volume]\ndb = 7\n"


def test_without_a_terminal_nobody_is_asked(environment: dict[str, str]) -> None:
    typed = subprocess.run(
        [sys.executable, "-m", "edged", "setup"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert typed.returncode == 2
    assert typed.stderr == "edged setup asks: it needs a terminal\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_whoever_may_not_write_is_told_before_anything_is_asked(
    environment: dict[str, str], config: Path
) -> None:
    config.parent.chmod(0o500)
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.reads(f"{config} cannot be written")
        assert terminal.ends() == 1
    config.parent.chmod(0o700)


@pytest.mark.skipif(
    os.geteuid() != 0 or not journals.may_mount(), reason="root mounts in a namespace of its own"
)
def test_root_is_told_to_remount_a_disk_that_is_read_only(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """As Linux mounts it after an error of the card."""
    code = READ_ONLY + SERVICE.format(folder=str(tmp_path))
    with Terminal(environment=environment, code=code) as terminal:
        terminal.reads(f"{tmp_path}/edged.toml is on a disk that is read-only")
        terminal.reads(rf"\(sudo mount -o remount,rw {tmp_path}\)")
        assert terminal.ends() == 1
    assert "root may" not in terminal.said


def test_a_folder_that_is_not_there_is_made(
    environment: dict[str, str], config: Path, url: str
) -> None:
    config = config.parent / "new" / "edged.toml"
    with Terminal("setup", "--config", str(config), environment=environment) as terminal:
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", url)
        terminal.answers("The key: ", KEY)
        sound_and_wake(terminal, "6")
        terminal.answers("The light", "5")
        terminal.answers("The button", "2")
        terminal.answers("Write it", "y")
        assert terminal.ends() == 0
    assert schema.read(config).wake.name == "button"


def test_every_word_that_can_be_chosen_is_one_that_wakes() -> None:
    for engine, words in WORDS.items():
        assert plugins.loads("wake", engine)
        for word in words:
            chosen = [f'wake.driver="{engine}"', f"wake.{engine}.words.{word}={{}}"]
            settings = schema.read(None, chosen)
            assert list(vars(settings.wake.settings)["words"]) == [word]


# --- the service's own --------------------------------------------------------------------

SERVICE = """\
import sys
from pathlib import Path
from edged import cli, schema
from edged.doctor import _credential, _visit
folder = Path({folder!r})
schema.FILE = folder / "edged.toml"
_credential.FOLDER = str(folder / "credentials")
_credential.SEALED = str(folder / "credentials.encrypted")
_visit.Machine.managed = True
sys.exit(cli.main(["setup"]))
"""
FORGETFUL = """\
import ctypes, signal, sys
from edged import cli
from edged.verbs._questions import Questions

def heading(self, text):
    ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))()

Questions.heading = heading
sys.exit(cli.main(sys.argv[1:]))
"""
"""Ctrl-C comes just when a library has called back into Python."""
READ_ONLY = """\
import ctypes, os, subprocess
assert ctypes.CDLL(None).unshare(0x20000) == 0
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
disk = os.environ["RUNTIME_DIRECTORY"]
subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "disk", disk], check=True)
"""
SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> {folder}/typed
if [ "$1" = "$SLOW" ]; then echo "systemctl takes its time" > /dev/tty; fi
if [ "$1" = "$REFUSED" ]; then exit 1; fi
case "$1" in
stop) rm -f {folder}/active ;;
start | restart) touch {folder}/active ;;
show)
    echo LoadState=loaded
    if [ -e {folder}/active ]; then echo ActiveState=active; else echo ActiveState=inactive; fi ;;
esac
if [ "$1" = "$SLOW" ]; then exec sleep "${{TAKES_S:-60}}"; fi
"""


def managed(folder: Path) -> dict[str, str]:
    """The environment of a machine whose service manager runs the speaker."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in (("systemctl", SYSTEMCTL), ("systemd-creds", "#!/bin/sh\nexit 1\n")):
        (programs / name).write_text(text.format(folder=folder))
        (programs / name).chmod(0o755)
    (folder / "active").touch()
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may stop the service")


def in_short(terminal: Terminal) -> None:
    """Answer all that is asked, for a provider that is not there."""
    terminal.answers("Who answers", "2")
    terminal.answers("Its address", "ws://127.0.0.1:9/v1")
    terminal.answers("What now", "2")
    terminal.answers("The key: ", KEY)
    sound_and_wake(terminal)
    terminal.answers("The light", "5")
    terminal.answers("The button", "2")
    terminal.answers("Write it", "y")


@only_root
@pytest.mark.parametrize("slow", ["stop", "restart"])
def test_whoever_loses_patience_has_a_speaker_that_runs_all_the_same(
    environment: dict[str, str], tmp_path: Path, slow: str
) -> None:
    environment |= managed(tmp_path) | {"SLOW": slow}
    code = SERVICE.format(folder=str(tmp_path))
    with Terminal(environment=environment, code=code) as terminal:
        terminal.answers("Stop it, and start it again at the end", "y")
        if slow != "stop":
            in_short(terminal)
        terminal.reads("systemctl takes its time")
        terminal.presses("\x03")
        assert terminal.ends() != 0
    assert (tmp_path / "typed").read_text().endswith("start edged\n")
    assert (tmp_path / "active").exists()
    assert (tmp_path / "edged.toml").exists() is (slow != "stop")


@only_root
@pytest.mark.parametrize("stays", [True, False])
def test_the_service_is_stopped_meanwhile_and_starts_with_what_was_written(
    environment: dict[str, str], tmp_path: Path, url: str, stays: bool
) -> None:
    environment |= managed(tmp_path)
    code = SERVICE.format(folder=str(tmp_path))
    with Terminal(environment=environment, code=code) as terminal:
        terminal.reads("- devices +the service runs, and holds them")
        terminal.answers("Stop it, and start it again at the end", "y")
        terminal.answers("Who answers", "2")
        assert not (tmp_path / "active").exists()
        terminal.answers("Its address", url)
        terminal.answers("The key: ", KEY)
        if stays:
            sound_and_wake(terminal)
            terminal.answers("The light", "5")
            terminal.answers("The button", "2")
            terminal.answers("Write it", "y")
            terminal.reads("It runs")
        else:
            terminal.reads("✔ provider")
            terminal.hangs_up()
        assert terminal.ends() == (0 if stays else 1)
    assert (tmp_path / "active").exists()
    assert "restart edged" in (tmp_path / "typed").read_text() or not stays
    kept = tmp_path / "credentials" / "openai"
    assert kept.exists() is stays
    assert (tmp_path / "edged.toml").exists() is stays
    if stays:
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert "credentials" not in (tmp_path / "edged.toml").read_text()
        assert KEY not in (tmp_path / "typed").read_text()


@only_root
def test_a_slow_board_is_given_the_time_that_its_speaker_needs_to_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= managed(tmp_path) | {"SLOW": "restart", "TAKES_S": "4"}
    # What other programs are given is cut, so that the speaker's start takes longer than that.
    impatient = "_visit.Machine.run.__kwdefaults__['patience_s'] = 2.0\nsys.exit("
    code = SERVICE.format(folder=str(tmp_path)).replace("sys.exit(", impatient)
    with Terminal(environment=environment, code=code) as terminal:
        terminal.answers("Stop it, and start it again at the end", "y")
        in_short(terminal)
        terminal.reads("It runs")
        assert terminal.ends() == 0
    # It was not asked whether it is to start at every boot.
    assert "enable" not in (tmp_path / "typed").read_text()


@only_root
@pytest.mark.parametrize("refused", ["", "enable", "restart"])
def test_a_speaker_that_did_not_run_starts_at_every_boot_for_whoever_wants_that(
    environment: dict[str, str], tmp_path: Path, refused: str
) -> None:
    environment |= managed(tmp_path) | {"REFUSED": refused}
    (tmp_path / "active").unlink()
    code = SERVICE.format(folder=str(tmp_path))
    with Terminal(environment=environment, code=code) as terminal:
        in_short(terminal)
        terminal.answers("Start the speaker now, and at every boot", "y")
        if refused == "enable":
            terminal.reads("it will not start at boot: sudo systemctl enable edged")
        terminal.reads(
            "it does not start: edged doctor unit" if refused == "restart" else "It runs"
        )
        assert terminal.ends() == 0
    typed = (tmp_path / "typed").read_text().splitlines()
    assert [each for each in typed if not each.startswith("show")] == [
        "enable edged",
        "restart edged",
    ]
    assert "will not start at boot" not in terminal.said or refused == "enable"


def test_ctrl_c_is_obeyed_even_where_a_library_swallowed_it(
    environment: dict[str, str], config: Path
) -> None:
    words = "setup", "--config", str(config)
    with Terminal(*words, environment=environment, code=FORGETFUL) as terminal:
        terminal.reads("Left as it was: nothing is written")
        assert terminal.ends() == 1


def test_whoever_is_gone_is_asked_nothing_more_even_where_the_signal_got_lost() -> None:
    ask = Questions(terminal())
    with contextlib.suppress(KeyboardInterrupt):
        ask.leave(signal.SIGHUP, None)
    questions: list[Callable[[], object]] = [
        lambda: ask.choose("Who answers", [("openai", "OpenAI")], "openai"),
        lambda: ask.text("Its address", "wss://edged.invalid/v1"),
        lambda: ask.secret("The key"),
        lambda: ask.confirms("Stop it"),
    ]
    for question in questions:
        with pytest.raises(EOFError):
            question()
