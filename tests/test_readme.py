"""What the README promises, held against what there is."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from edged import cli, ledger, plugins, schema
from edged.core.budget import Budget, Prices, Purse
from edged.core.events import Trouble, Usage
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Look, Scene, colour
from edged.core.settings import Conversation, Gestures, Session, Volume
from edged.simulator.evening.timeline import LIGHTS
from edged.simulator.room import Room

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
VERBS = sorted(set(re.findall(r"`edged ([a-z]+)[ `]", README)))


def edged(arguments: list[str], room: Room) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edged", *arguments],
        env=room.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=TOP,
    )


def test_its_generated_parts_are_up_to_date() -> None:
    told = subprocess.run(
        [sys.executable, TOP / "scripts" / "readme", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_it_names_is_there(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb in plugins.names("verbs")
    with pytest.raises(SystemExit) as over:
        cli.main([verb, "--help"])
    assert over.value.code == 0
    assert plugins.caption("verbs", verb)
    assert verb in capsys.readouterr().out


def test_every_command_there_is_stands_in_it() -> None:
    assert set(VERBS) == set(plugins.names("verbs"))


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"(?:scripts|config|systemd|\.pictures|edged)/[\w./-]+", README)
    for name in {name.rstrip(".") for name in named}:
        if name.startswith("edged/"):
            continue
        assert (TOP / name).exists(), name


def test_its_links_lead_to_its_headings() -> None:
    links = set(re.findall(r"\]\(#([\w-]+)\)", README))
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
    assert links
    assert {anchors.count(link) for link in links} == {1}


@pytest.mark.parametrize("scene", [scene for scene in Scene if scene is not Scene.TROUBLE])
def test_the_lights_are_as_promised(scene: Scene) -> None:
    brightest = max(
        (colour(Look(scene), at / 20) for at in range(80)), key=lambda c: c.red + c.green + c.blue
    )
    assert brightest.hex == LIGHTS[scene.value]
    assert scene.value in README


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_blinks_its_number(trouble: Trouble) -> None:
    numbered = re.search(r"\| trouble \| (.*) \|", README)
    assert numbered
    name = "loudspeaker" if trouble is Trouble.SPEAKER else trouble.value
    number = re.search(rf"(\d) {name}", numbered[1])
    assert number
    look = Look(Scene.TROUBLE, trouble)
    blinks = int(number[1])
    lit = [colour(look, at / 100).red > 0.5 for at in range(int(100 * (blinks * 0.5 + 0.999)))]
    assert sum(now and not before for before, now in pairwise([False, *lit])) == blinks


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", README, re.DOTALL))
def test_what_it_configures_can_be_configured(block: str, tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(block)
    settings = schema.read(file)
    assert set(settings.actions) <= set(vars(settings.buttons[0].settings)["wired"])


def test_its_numbers_are_the_defaults() -> None:
    told = re.findall(r"`(?:volume\.)?(\w+)` \(([\d.]+) (?:s|ms|dB)\)", README)
    assert len(told) == 10
    defaults = vars(Conversation()) | vars(Gestures()) | vars(Volume())
    assert {name: float(number) for name, number in told} == {
        name: defaults[name] for name, _ in told
    }


def test_what_it_says_about_money_is_what_is_reckoned() -> None:
    section = " ".join(README.split("## Money\n")[1].split("\n## ")[0].split())
    prices, session, minute = Prices(), Session(), 60
    purse = Purse(prices, Budget(), session.model, session.transcription)
    price, grok = prices.of(session.model), prices.of("grok-voice-think-fast-2.0")
    assert price is not None
    assert grok is not None
    # A token of the user's sound is 100 ms, one of the assistant's 50 ms.
    for words, usd in (
        (r"a minute of your speech is ([\d.]+) USD", purse.cost(Usage(audio_in=10 * minute))),
        (r"a minute of its own ([\d.]+) USD", purse.cost(Usage(audio_out=20 * minute))),
        (r"on by default.*?: ([\d.]+) USD a minute", purse.cost(Usage(transcribed_s=minute))),
        (r"cache, for ([\d.]+) USD a million", price.cached_audio),
        (r"instead of ([\d.]+)\. ", price.audio_in),
        (r"the minute, ([\d.]+) USD for xAI", grok.minute),
        (r"At ([\d.]+) % of either limit", 100 * Budget().warn_share),
        (r"for the last ([\d.]+) days on", ledger.KEPT),
    ):
        told = re.search(words, section)
        assert told, words
        assert float(told[1]) == pytest.approx(usd, abs=1e-9), words
    assert f"looked up on {prices.as_of}" in section
    assert Budget().day_usd == Budget().month_usd == 0, "no limit is the default"


def test_gestures_and_actions_are_all_there_and_do_what_it_says() -> None:
    section = README.split("## Talking to it")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| `(\w+)` \|$", section, re.MULTILINE)
    assert dict(rows) == {name: action.value for name, action in vars(Bindings()).items()}
    actions = section.split("| action | does |")[1].split("\n\n")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", actions, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {action.value for action in Action} - {"none"}


def test_the_lines_for_a_pi_can_be_typed() -> None:
    """They are in tests/systemd; here it is only that what is named is there."""
    section = README.split("## On a Pi\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\$ (.*?)(?:  .*)?$", section, re.MULTILINE)
    assert lines[1:] == ["sudo ./scripts/install", "sudo edged setup", "journalctl -fu edged"]
    for script, option in re.findall(r"`(?:sudo )?\./(scripts/[\w-]+)(?: (--\w+))?", section):
        assert os.access(TOP / script, os.X_OK)
        assert not option or f"{option})" in (TOP / script).read_text(encoding="utf-8")


def test_its_two_commands_can_be_run() -> None:
    for name in ("demo", "test"):
        assert f"./scripts/{name}" in README
        assert os.access(TOP / "scripts" / name, os.X_OK)
