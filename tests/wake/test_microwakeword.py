"""The engine for boards with little memory."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pymicro_wakeword
import pytest

from edged.core.events import WakeHeard
from edged.wake import microwakeword
from edged.wake._detector import RATE, Word
from edged.wake.microwakeword import FRAME, Engine, Settings

from .listening import listen
from .speech import pieces, silence, speech

MODELS = Path(pymicro_wakeword.__file__).parent / "models"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine({"okay_nabu": Word(), "alexa": Word()})


def peaks(engine: Engine, sound: bytes) -> dict[str, float]:
    engine.restart()
    scores = [engine.scores(piece) for piece in pieces(sound, FRAME)]
    return {word: max(each[word] for each in scores) for word in scores[0]}


@pytest.mark.parametrize("shift", [0, 120, 240, 360])
@pytest.mark.parametrize(
    ("wave", "word"), [("pos_okay_nabu_usm1", "okay_nabu"), ("pos_alexa_gbf5", "alexa")]
)
def test_a_spoken_word_is_recognised_wherever_the_frames_begin(
    engine: Engine, wave: str, word: str, shift: int
) -> None:
    heard = peaks(engine, silence(shift) + speech(wave))
    assert heard.pop(word) >= 0.9
    assert max(heard.values()) < 0.3


@pytest.mark.parametrize("wave", ["neg_good_morning", "neg_jarvis", "cmd_after_wake"])
def test_other_speech_is_not_recognised(engine: Engine, wave: str) -> None:
    assert max(peaks(engine, speech(wave)).values()) < 0.3


def test_a_fresh_start_gives_the_same_scores_again(engine: Engine) -> None:
    first = []
    for _ in range(2):
        engine.restart()
        first.append([engine.scores(p)["alexa"] for p in pieces(speech("pos_alexa_gbf5"), FRAME)])
    assert first[0] == first[1]


def test_okay_nabu_wakes_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    events, status = listen(microwakeword, Settings(), speech("pos_okay_nabu_usm1"), monkeypatch)
    (event,) = events
    assert isinstance(event, WakeHeard)
    assert (event.word, event.score >= 0.7) == ("okay_nabu", True)
    assert 1.9 * RATE <= event.position <= 2.9 * RATE
    assert status["words"] == "okay_nabu"
    assert status["licence"] == "okay_nabu: Apache-2.0"
    sha256 = hashlib.sha256((MODELS / "okay_nabu.tflite").read_bytes()).hexdigest()
    assert status["sha256 of okay_nabu.tflite"] == sha256


def test_a_model_of_your_own_is_loaded_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("json", "tflite"):
        (tmp_path / f"alexa.{kind}").write_bytes((MODELS / f"alexa.{kind}").read_bytes())
    mine = Settings({"hey_pi": Word(model=str(tmp_path / "alexa.json"))})
    events, _ = listen(microwakeword, mine, speech("pos_alexa_gbf5"), monkeypatch)
    assert [event.word for event in events if isinstance(event, WakeHeard)] == ["hey_pi"]


@pytest.mark.parametrize("word", ["hey_jarvis", "hey_mycroft"])
def test_a_word_that_is_heard_badly_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r'okay_nabu or alexa.*"openwakeword"'):
        Settings({word: Word()})


def test_an_unknown_word_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"alexa, okay_nabu.*path of a \.json file"):
        Settings({"computer": Word()})
    with pytest.raises(ValueError, match='"button"'):
        Settings({})


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    told = tmp_path / "mine.json"
    with pytest.raises(FileNotFoundError):
        Engine({"hey_pi": Word(model=str(told))})
    for text in ("no json", "[]", "{}", '{"model": 3}'):
        told.write_text(text)
        with pytest.raises(ValueError, match="does not describe a microWakeWord model"):
            Engine({"hey_pi": Word(model=str(told))})
    described = json.loads((MODELS / "alexa.json").read_text(encoding="utf-8"))
    told.write_text(json.dumps(described))
    (tmp_path / "alexa.tflite").write_bytes(b"no network at all")
    with pytest.raises(ValueError, match="not a TensorFlow Lite model"):
        Engine({"hey_pi": Word(model=str(told))})


MISSING = """
import sys
sys.modules["pymicro_wakeword"] = None
try:
    import edged.wake.microwakeword
except ImportError as error:
    print(error)
"""


def test_a_missing_package_is_told_how_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MISSING], capture_output=True, text=True, check=True
    )
    assert "pip install 'edged[microwakeword]'" in done.stdout
