"""What a person types, and what the speaker says to it."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edged import __version__, cli, store, template

from .conftest import Drop

GREET = '''
    """Say hello, 100 % of the time."""

    def arguments(parser):
        parser.add_argument("name")

    def run(options):
        if options.name == "nobody":
            error = LookupError("there is nobody")
            error.hint = "knock first"
            raise error
        if options.name == "bug":
            raise LookupError("a bug")
        if options.name == "interrupted":
            raise KeyboardInterrupt
        if options.name == "left":
            raise EOFError
        print(f"hello {options.name}")
        return 3
'''


@pytest.fixture(autouse=True)
def _greet(drop_driver: Drop) -> None:
    drop_driver("verbs", "greet", GREET)
    drop_driver("verbs", "broken", '"""Never imported."""\nraise RuntimeError("imported")')


def test_a_verb_is_a_file_and_its_result_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["greet", "world"]) == 3
    assert capsys.readouterr().out == "hello world\n"


def test_help_shows_every_verb_without_importing_any(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "greet Say hello, 100 % of the time." in told
    assert "broken Never imported." in told
    assert "check Read the configuration" in told


def test_help_of_a_verb_shows_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["greet", "--help"])
    told = capsys.readouterr().out
    assert "Say hello, 100 % of the time." in told
    assert "name" in told


@pytest.mark.parametrize("typed", [[], ["greeet", "x"], ["greet"], ["--loud"]])
def test_a_wrong_command_line_is_status_2(typed: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(typed)
    assert left.value.code == 2


def test_who_types_no_verb_is_shown_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([])
    assert left.value.code == 2
    assert "check Read the configuration" in " ".join(capsys.readouterr().err.split())


def test_an_error_with_a_hint_is_told_and_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["greet", "nobody"]) == 1
    assert capsys.readouterr().err == "edged: there is nobody\n(knock first)\n"


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(LookupError, match="a bug"):
        cli.main(["greet", "bug"])


def test_interrupting_is_no_error() -> None:
    assert cli.main(["greet", "interrupted"]) == 130


def test_leaving_a_question_unanswered_is_no_error() -> None:
    assert cli.main(["greet", "left"]) == 130


def test_output_that_is_closed_is_no_crash() -> None:
    typed = f"exec {sys.executable} -m edged check --template >&-"
    done = subprocess.run(["sh", "-c", typed], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_letters_that_a_terminal_does_not_have_are_no_crash() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    typed = [sys.executable, "-m", "edged", "doctor", "python"]
    done = subprocess.run(typed, env=environment, capture_output=True, check=False)
    assert done.stdout.startswith(b"? python"), done.stderr
    assert done.stderr == b""


def test_output_that_nobody_reads_any_more_is_no_crash() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    typed = [sys.executable, "-m", "edged", "check", "--template"]
    left = subprocess.run(typed, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (left.returncode, left.stderr) == (1, "")


@pytest.mark.parametrize(
    "typed",
    ["check --template", "check", "usage --json", "usage", "doctor python", "--help", "--version"],
)
def test_output_that_finds_no_room_is_said_so(typed: str) -> None:
    command = [sys.executable, "-m", "edged", *typed.split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[0] == "edged: cannot write: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"edged {__version__}\n"


# --- edged check --------------------------------------------------------------------------


def test_a_right_configuration_is_ok_and_says_what_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "edged.toml"
    file.write_text("[session]\nvoice = 'ash'\n")
    assert cli.main(["check", "--config", str(file)]) == 0
    assert capsys.readouterr().out == f"OK: {file}\n"


def test_a_wrong_configuration_is_told_and_is_status_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "edged.toml"
    file.write_text("[session]\nvocie = 'ash'\n")
    assert cli.main(["check", "--config", str(file), "--set", "sound.frame_ms=5"]) == 78
    first, second, _ = capsys.readouterr().err.splitlines()
    assert first == f"{file}:2: session.vocie: is no setting of [session]; did you mean `voice`?"
    assert second.startswith("--set sound.frame_ms=5: sound.frame_ms: expected a whole number, 20")


def test_the_template_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--template"]) == 0
    assert capsys.readouterr().out == template.text()


MODEL = 'wake.openwakeword.words.hey.model = "/no/such.onnx"'


@pytest.mark.parametrize(
    ("wake", "status", "told"),
    [
        (f'wake.driver = "openwakeword"\n{MODEL}', 78, "cannot be opened"),
        ('wake.driver = "button"', 1, "keeps its state"),
    ],
)
def test_what_starting_again_may_mend_is_not_status_78(
    tmp_path: Path, wake: str, status: int, told: str
) -> None:
    """A model that is not there is one of the configuration's mistakes; another speaker is not."""
    settings = 'sound.driver = "wavefile"\nbuttons.drivers = []\nlights.drivers = []\n'
    (tmp_path / "edged.toml").write_text(settings + wake)
    with store.claim(tmp_path / "state") if status == 1 else contextlib.nullcontext():
        done = subprocess.run(
            [sys.executable, "-m", "edged", "run", "--config", str(tmp_path / "edged.toml")],
            env={**os.environ, "STATE_DIRECTORY": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == status, done.stderr
    assert told in done.stderr
