"""Whole evenings with the unmodified daemon, watched from outside: good ones, and bad ones."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from edged.simulator.evening import comparison, talker
from edged.simulator.evening.answers import Sent, answers
from edged.simulator.evening.conversation import LONG_ANSWER
from edged.simulator.evening.record import STEPS
from edged.simulator.evening.stage import Stage, stage
from edged.simulator.evening.timeline import LIGHTS
from edged.simulator.hearing import RATE, Samples
from edged.simulator.provider.faults import Faults
from edged.simulator.provider.house import Options
from edged.simulator.provider.script import Call, Items

pytestmark = [pytest.mark.room, pytest.mark.timeout(150)]

SETTINGS = "[conversation]\ntrouble_s = 1.5\n"
SHORT = "All is well."
ANSWER = "This answer is long enough that something can go wrong in the middle of it."


def play(
    story: Callable[[Stage], Awaitable[None]],
    options: Options,
    settings: str = "",
    words: Sequence[str] = (),
) -> None:
    async def told() -> None:
        async with stage(options, settings or SETTINGS, words=words) as here:
            await here.daemon.reaches("asleep")
            await story(here)

    asyncio.run(told())


async def ask(here: Stage) -> float:
    """Somebody asks a question, once the engine has heard enough of the room; when they began."""
    began = time.monotonic()
    words = await talker.speak("hey jarvis, what will the weather be like tomorrow?")
    here.room.say(np.concatenate([np.zeros(2 * RATE, np.int16), words]))
    await here.daemon.reaches("waking", since=began)
    return began


async def is_well(here: Stage) -> None:
    """The next wake works: a question is answered, and it goes back to sleep when told to."""
    here.server.faults = Faults()
    began = await ask(here)
    speaking = await here.daemon.reaches("speaking", since=began)
    await here.daemon.reaches("listening", since=speaking + 0.01)
    await here.press()
    await here.daemon.reaches("asleep", since=speaking)


async def shows(here: Stage, state: str) -> None:
    """The light at the pins becomes that of `state`."""
    full = LIGHTS[state]
    await here.pins.wait_for(lambda _: here.light == full)


async def sounds(here: Stage, since: float) -> None:
    """Something is heard at the loudspeaker soon after `since`."""
    heard = await asyncio.to_thread(here.loudspeaker.between, since, since + 1.0)
    assert comparison.onset(heard, RATE, above_dbfs=-60.0) is not None


async def is_in_trouble(here: Stage, kind: str, since: float) -> None:
    """Its own light, its own sound, one journal entry that says what, and sleep."""
    troubled = await here.daemon.reaches(f"trouble: {kind}", since=since)
    await shows(here, "trouble")
    await sounds(here, troubled)
    entry = f"! trouble: {kind}"
    told = [line for line in here.daemon.lines if line.time >= since and entry in line.text]
    assert len(told) == 1
    assert "detail=" in told[0].text
    await here.daemon.reaches("asleep", since=troubled)
    await shows(here, "asleep")


def test_the_evening_is_played_and_observed(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    picture = tmp_path / "demo.svg"
    done = subprocess.run(
        [sys.executable, "-m", "edged", "demo", "--json", record, "--picture", picture],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(record.read_text())
    assert told["ok"] is True
    assert [step["name"] for step in told["steps"]] == list(STEPS)
    assert all(step["ok"] and step["observed"] for step in told["steps"])
    assert told["uplink"]["lost_samples"] == told["uplink"]["doubled_samples"] == 0
    assert told["playback"]["correlation"] >= 0.99
    assert told["playback"]["gaps"] == 0
    assert told["asleep_bytes_sent"] == 0
    assert told["idle_closed"] is True
    assert told["wake"][0]["score"] >= 0.5
    assert [turn["interrupted"] for turn in told["turns"]] == [False, True, False, False]
    assert 0 < told["barge_in"]["told_ms"] < told["barge_in"]["sent_ms"]
    assert told["barge_in"]["error_ms"] <= 20
    assert told["barge_in"]["lost_samples"] == 0
    assert told["barge_in"]["missing_ms"] <= 80
    assert told["echo"]["louder_db"] >= 3
    assert told["echo"]["answers"] == 4
    assert told["echo"]["self_interruptions"] == told["echo"]["own_turns"] == 0
    assert told["push_to_talk"]["light_ms"] <= 50
    assert told["push_to_talk"]["lost_samples"] == told["push_to_talk"]["between_bytes"] == 0
    assert {look["state"] for look in told["timeline"]} >= {"asleep", "waking", "speaking"}
    assert told["timeline"][-1]["t"] <= 60
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_evening_that_is_cut_short_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    evening = subprocess.Popen(
        [sys.executable, "-m", "edged", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert evening.stdout is not None
    with evening.stdout as told:
        assert any("connecting" in line for line in told)
        assert list(tmp_path.iterdir())
        evening.send_signal(number)
        assert evening.wait(20) != 0
        # The end of the output: nobody who could write to it is left either.
        told.read()
    assert not list(tmp_path.iterdir())


def test_a_recording_that_is_none_is_refused_with_a_reason(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.wav"
    nothing.write_text("not a recording")
    done = subprocess.run(
        [sys.executable, "-m", "edged", "demo", "--say", nothing],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be read as a WAV file" in done.stderr


def test_the_provider_dies_in_the_middle_of_the_answer() -> None:
    async def story(here: Stage) -> None:
        began = await ask(here)
        speaking = await here.daemon.reaches("speaking", since=began)
        here.server.drop_all()
        again = await here.daemon.reaches("listening", since=speaking + 0.01)
        assert any("opened once more" in line.text for line in here.daemon.lines)
        # A line that breaks twice is given up.
        here.server.drop_all()
        await is_in_trouble(here, "network", again)
        await is_well(here)

    play(story, Options(answers=[ANSWER, SHORT], pace=1.0))


def test_the_connection_is_refused() -> None:
    async def story(here: Stage) -> None:
        await is_in_trouble(here, "network", await ask(here))
        await is_well(here)

    play(story, Options(answers=[SHORT], faults=Faults(refuse=True)))


def test_the_key_is_refused() -> None:
    async def story(here: Stage) -> None:
        await is_in_trouble(here, "key", await ask(here))
        # Only another key mends that: no line is opened before the speaker has been told of one.
        pressed = time.monotonic()
        await here.press()
        troubled = await here.daemon.reaches("trouble: key", since=pressed)
        await here.daemon.reaches("asleep", since=troubled + 0.01)
        assert "connecting" not in [state for at, state in here.daemon.states if at > pressed]
        here.daemon.process.send_signal(signal.SIGHUP)
        await here.daemon.says("the new configuration is taken", since=pressed)
        await is_well(here)

    play(story, Options(answers=[SHORT], faults=Faults(bad_key=True)))


def test_there_is_no_credit() -> None:
    async def story(here: Stage) -> None:
        await is_in_trouble(here, "credit", await ask(here))
        await is_well(here)

    play(story, Options(answers=[SHORT], faults=Faults(quota=True)))


def test_what_the_provider_says_in_tongues_is_counted_and_the_conversation_goes_on() -> None:
    async def story(here: Stage) -> None:
        began = await ask(here)
        speaking = await here.daemon.reaches("speaking", since=began)
        await here.daemon.reaches("listening", since=speaking + 0.01)
        await here.press()
        told = await here.daemon.says(r"not understood .*oddities=(.*)\]", since=began)
        assert "malformed" in told[1]

    play(story, Options(answers=[SHORT], faults=Faults(malformed=True, unknown=True)))


def test_the_shell_wakes_it_asks_how_it_is_and_stops_it() -> None:
    async def story(here: Stage) -> None:
        def edged(*verb: str) -> subprocess.CompletedProcess[str]:
            command = [
                sys.executable,
                "-m",
                "edged",
                *verb,
                "--socket",
                str(here.folder / "control"),
            ]
            return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

        began = time.monotonic()
        assert (await asyncio.to_thread(edged, "wake")).returncode == 0
        await here.daemon.reaches("listening", since=began)
        status = await asyncio.to_thread(edged, "status", "--json")
        assert json.loads(status.stdout)["state"] == "listening"
        assert (await asyncio.to_thread(edged, "stop")).returncode == 0
        await here.daemon.reaches("asleep", since=began + 0.01)

    play(story, Options())


def test_a_muted_speaker_says_so_when_it_is_woken() -> None:
    async def story(here: Stage) -> None:
        await here.press(1.0)
        await here.daemon.reaches("muted")
        command = [sys.executable, "-m", "edged", "wake", "--socket", str(here.folder / "control")]
        asked = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=20, check=False
        )
        assert asked.returncode == 1
        assert "it is muted" in asked.stderr
        began = time.monotonic()
        await here.press(1.0)
        await here.daemon.reaches("asleep", since=began)
        speaking = await here.daemon.reaches("speaking", since=await ask(here))
        assert speaking

    play(story, Options(answers=[SHORT]))


def test_sigterm_ends_it_within_a_second_even_in_a_conversation() -> None:
    async def story(here: Stage) -> None:
        began = await ask(here)
        await here.daemon.reaches("speaking", since=began)
        took = await here.daemon.stop()
        assert here.daemon.process.returncode == 0
        await here.closed(1)
        assert here.server.visits[0].close_code == 1000
        assert took < 2, "bounded; the figure itself is the bench's business"

    play(story, Options(answers=[ANSWER]))


def test_without_a_key_it_starts_and_says_so() -> None:
    async def story(here: Stage) -> None:
        await is_in_trouble(here, "key", await ask(here))

    async def told() -> None:
        async with stage(Options(), SETTINGS, variables={"OPENAI_API_KEY": ""}) as here:
            troubled = await here.daemon.reaches("trouble: key")
            await shows(here, "trouble")
            await here.daemon.reaches("asleep", since=troubled)
            await story(here)
            assert not here.server.visits

    asyncio.run(told())


# --- who may speak when -----------------------------------------------------------------------


async def says(here: Stage, text: str) -> None:
    """Somebody says this."""
    here.room.say(await talker.speak(text))


async def is_answering(here: Stage) -> None:
    """A question is asked, and a second of the answer has sounded."""
    speaking = await here.daemon.reaches("speaking", since=await ask(here))
    await asyncio.to_thread(here.loudspeaker.wait_until, speaking + 1)


async def is_silent(here: Stage, since: float, until: float) -> None:
    """Nothing at all is heard at the loudspeaker meanwhile."""
    heard = await asyncio.to_thread(here.loudspeaker.between, since, until)
    assert np.max(np.abs(heard.astype(int)), initial=0) < 30


def answered(here: Stage) -> list[Sent]:
    """The answers of the first conversation."""
    return answers(here.server.log, 1)


async def heard(here: Stage, answer: Sent, until: float) -> comparison.Comparison:
    """An answer as it was sent, against what was heard of it."""
    since = time.monotonic() - here.server.ledger.now + answer.first_delta
    played = await asyncio.to_thread(here.loudspeaker.between, since, until)
    sent = answer.samples(here.server.visits[0])
    return await asyncio.to_thread(comparison.compare, sent, comparison.halved(played), RATE // 2)


def listeners(here: Stage) -> int:
    """Streams that record in the room, but for the one with which we listen."""
    told = subprocess.run(
        ["pactl", "list", "short", "source-outputs"],
        env=here.room.environment,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return len(told.stdout.splitlines()) - 1


def test_a_muted_speaker_is_muted_after_a_restart_too_and_hears_again_when_unmuted() -> None:
    async def story(first: Stage) -> None:
        await first.daemon.says("microphone")
        assert await asyncio.to_thread(listeners, first) == 1
        await first.press(1.0)
        await shows(first, "muted")
        await first.daemon.says("muted: the microphone is closed")
        async with first.restarted() as here:
            await here.daemon.reaches("muted")
            await shows(here, "muted")
            assert await asyncio.to_thread(listeners, here) == 0
            began = time.monotonic()
            await here.press(1.0)
            await here.daemon.reaches("asleep", since=began)
            assert await here.daemon.reaches("speaking", since=await ask(here))
            assert await asyncio.to_thread(listeners, here) == 1

    play(story, Options(answers=[SHORT]))


def test_a_goodbye_ends_the_conversation_once_the_farewell_was_heard() -> None:
    async def story(here: Stage) -> None:
        speaking = await here.daemon.reaches("speaking", since=await ask(here))
        asleep = await here.daemon.reaches("asleep", since=speaking)
        await here.closed(1)
        (farewell,) = answered(here)
        whole = await heard(here, farewell, asleep + 1)
        assert whole.gaps == 0
        assert whole.correlation > 0.95, "the earcon of sleep may sound with its last syllable"
        await here.daemon.says(r"session ended.*reason=goodbye")

    farewell = Items(["Good night, sleep well.", Call("goodbye")])
    play(story, Options(answers=[farewell], keep_audio=True))


STOP_WORD = """
[conversation]
follow_up_s = 2
stop_words = ["alexa"]

[wake.openwakeword.words.hey_jarvis]

[wake.openwakeword.words.alexa]
"""
SAME_WORD = """
[conversation]
follow_up_s = 2
wake_while_speaking = "stop"
"""


@pytest.mark.parametrize(("settings", "word"), [(STOP_WORD, "alexa"), (SAME_WORD, "hey jarvis")])
def test_a_word_can_end_the_answer_and_begin_nothing_new(settings: str, word: str) -> None:
    async def story(here: Stage) -> None:
        await is_answering(here)
        began = time.monotonic()
        await says(here, word)
        await here.daemon.says(f"stopped by {word.replace(' ', '_')}", since=began)
        stopped = await here.daemon.reaches("listening", since=began)
        asleep = await here.daemon.reaches("asleep", since=stopped)
        assert 1.5 < asleep - stopped < 2.5, "nobody was taken for speaking"
        await is_silent(here, stopped + 0.15, asleep - 0.1)
        (cut,) = answered(here)
        assert cut.truncated_ms
        assert 1000 < cut.truncated_ms < cut.size / 48

    play(story, Options(answers=[LONG_ANSWER]), settings)


def test_who_speaks_over_the_answer_interrupts_it_where_no_echo_can(tmp_path: Path) -> None:
    """And what was recorded of it decides the same again."""
    record = tmp_path / "evening.jsonl"

    async def story(here: Stage) -> None:
        await is_answering(here)
        began = time.monotonic()
        await says(here, "and will it rain on Sunday?")
        hearing = await here.daemon.reaches("hearing", since=began)
        thinking = await here.daemon.reaches("thinking", since=hearing)
        await is_silent(here, hearing + 0.15, thinking)
        assert await here.daemon.reaches("speaking", since=thinking)
        await here.daemon.stop()
        cut, new = answered(here)
        assert cut.truncated_ms
        assert 1000 < cut.truncated_ms < cut.size / 48
        assert new.truncated_ms is None
        command = [sys.executable, "-m", "edged", "replay", str(record), "--commands", "--json"]
        told = await asyncio.to_thread(subprocess.check_output, command, text=True, timeout=30)
        decided = [json.loads(line) for line in told.splitlines()]
        (again,) = [one for one in decided if one["command"] == "TruncateReply"]
        assert (again["item"], again["heard_ms"]) == (cut.item, cut.truncated_ms)

    settings = SETTINGS + '[echo]\nmode = "off"\n'
    play(story, Options(answers=[LONG_ANSWER, SHORT]), settings, ["--record", str(record)])


KNOB = """
[buttons.gpio.volume_knob]
a = 5
b = 6
"""


async def turn_down(here: Stage, clicks: int) -> None:
    """Somebody turns the knob to the left; it ticks."""
    began = time.monotonic()
    for _ in range(clicks):
        for pin, level in ((6, 0), (5, 0), (6, 1), (5, 1)):
            await here.pins.drive(pin, 1 if level else 0)
    await sounds(here, began)


def loudness_db(sent: Samples, played: Samples) -> float:
    """How loud it sounded, against how loud it was sent."""
    power = [float(np.mean(np.square(sound.astype(np.float64)))) for sound in (sent, played)]
    return 10 * float(np.log10(power[1] / power[0]))


def test_a_knob_turns_the_volume_which_is_kept_over_a_restart() -> None:
    async def story(first: Stage) -> None:
        await first.daemon.says("loudspeaker")
        await turn_down(first, 4)
        await first.daemon.says(r"volume .*volume_db=-18")
        await asyncio.sleep(1.2)  # A knob that rests for a second has been set.
        async with first.restarted() as here:
            await here.daemon.reaches("asleep")
            speaking = await here.daemon.reaches("speaking", since=await ask(here))
            over = await here.daemon.reaches("listening", since=speaking + 0.01)
            (answer,) = answered(here)
            whole = await heard(here, answer, over + 0.3)
            assert whole.gaps == 0
            assert whole.correlation > 0.99
            played = await asyncio.to_thread(here.loudspeaker.between, speaking - 0.1, over + 0.3)
            sent = answer.samples(here.server.visits[0])
            softer = loudness_db(sent, played) + 10 * np.log10(len(played) / 2 / len(sent))
            assert softer == pytest.approx(-18, abs=0.5)

    play(story, Options(answers=[SHORT], keep_audio=True), SETTINGS + KNOB)
