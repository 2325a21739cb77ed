"""The default engine, with the models that come with the distribution."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edged.core.events import WakeHeard, WakeNearlyHeard
from edged.wake import openwakeword
from edged.wake._detector import RATE, Word
from edged.wake.openwakeword import FRAME, Engine, Settings

from .listening import listen
from .speech import WAVES, pieces, silence, speech

WORDS = ("hey_jarvis", "alexa", "hey_mycroft")


def stock_model(name: str) -> Path:
    spec = importlib.util.find_spec("openwakeword")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "resources" / "models" / name


def python(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine({word: Word() for word in WORDS})


def scores(engine: Engine, sound: bytes) -> list[list[float]]:
    """The scores of the words after each frame, from a fresh start."""
    engine.restart()
    return [list(engine.scores(piece).values()) for piece in pieces(sound, FRAME)]


def peaks(engine: Engine, sound: bytes) -> dict[str, float]:
    return dict(zip(WORDS, np.max(scores(engine, sound), axis=0).tolist(), strict=True))


@pytest.mark.parametrize("shift", [0, 320, 640, 960])
@pytest.mark.parametrize(
    ("wave", "word"),
    [
        ("pos_hey_jarvis_gb160", "hey_jarvis"),
        ("pos_hey_jarvis_sc140", "hey_jarvis"),
        ("pos_hey_jarvis_us140k", "hey_jarvis"),
        ("cmd_after_wake", "hey_jarvis"),
        ("pos_alexa_gbf5", "alexa"),
        ("pos_hey_mycroft_sc160", "hey_mycroft"),
    ],
)
def test_a_spoken_word_is_recognised_wherever_the_frames_begin(
    engine: Engine, wave: str, word: str, shift: int
) -> None:
    heard = peaks(engine, silence(shift) + speech(wave))
    assert heard.pop(word) >= 0.9
    assert max(heard.values()) < 0.3


@pytest.mark.parametrize("wave", ["neg_good_morning", "neg_jarvis"])
def test_other_speech_is_not_recognised(engine: Engine, wave: str) -> None:
    assert max(peaks(engine, speech(wave)).values()) < 0.3


def test_a_fresh_start_has_heard_silence_and_gives_the_same_scores_again(engine: Engine) -> None:
    sound = speech("pos_alexa_gbf5")
    first = scores(engine, sound)
    assert scores(engine, sound) == first
    quiet = np.array(scores(engine, silence(20 * FRAME)))
    assert np.ptp(quiet, axis=0).max() < 1e-6


PACKAGE = """
import json, sys, types, wave
import numpy as np
# The package imports this for training alone; with it come scipy, scikit-learn and tqdm.
stub = types.ModuleType("openwakeword.custom_verifier_model")
stub.train_custom_verifier = None
sys.modules[stub.__name__] = stub
import openwakeword
paths = [openwakeword.models[word]["model_path"] for word in sys.argv[2:]]
sound = np.fromfile(sys.argv[1], np.int16)
model = openwakeword.Model(wakeword_model_paths=paths)
frames = [model.predict(sound[at : at + 1280]) for at in range(0, len(sound) - 1279, 1280)]
print(json.dumps([[float(score) for score in frame.values()] for frame in frames]))
"""


def test_the_scores_are_those_of_the_package(engine: Engine, tmp_path: Path) -> None:
    noise = np.random.default_rng(7).normal(0, 2000, 2 * RATE).astype("<i2").tobytes()
    waves = ["pos_hey_jarvis_gb160", "cmd_after_wake", "pos_alexa_gbf5", "pos_hey_mycroft_sc160"]
    sound = silence(26 * FRAME) + b"".join(speech(wave) for wave in waves) + noise
    file = tmp_path / "sound.raw"
    file.write_bytes(sound)
    theirs = np.array(json.loads(python(PACKAGE, str(file), *WORDS)))
    ours = np.array(scores(engine, sound))
    assert ours.shape == theirs.shape
    # The package begins with a mel window of ones and not of silence. The tenth frame pushes the
    # last of them out of the window, and after 15 more no embedding knows of them.
    assert np.abs(ours - theirs)[25:].max() <= 1e-3
    assert (theirs.max(axis=0) > 0.9).all(), "the comparison saw every word spoken"


ALONE = """
import sys
for name in ("scipy", "sklearn", "tqdm"):
    sys.modules[name] = None
from edged.wake.openwakeword import Engine, Word
Engine({"hey_jarvis": Word()}).scores(bytes(2560))
loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module}
print(*sorted(loaded & {"openwakeword", "scipy", "sklearn", "tqdm", "requests"}))
"""


def test_the_models_run_without_the_package_and_what_it_needs() -> None:
    assert python(ALONE).split() == []


def test_three_requirements_of_the_package_are_left_out() -> None:
    def needed(distribution: str) -> set[str]:
        lines = importlib.metadata.requires(distribution) or []
        found = (re.match(r"[\w-]+", line) for line in lines if "extra ==" not in line)
        return {name[0].lower() for name in found if name}

    left_out = needed("openwakeword") - needed("edged")
    assert left_out == {"scikit-learn", "scipy", "tqdm"}, "what `pip check` may complain about"


NARROW = """
import sys
sys.maxsize = 2**31 - 1
try:
    import edged.wake.openwakeword
except ImportError as error:
    print(error)
"""


def test_a_32_bit_system_is_told_what_to_choose() -> None:
    assert "needs a 64-bit system" in python(NARROW)
    assert '"microwakeword" or "button"' in python(NARROW)


def test_a_missing_distribution_is_told_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    with pytest.raises(FileNotFoundError, match=r"pip install --no-deps openwakeword==0\.4\.0"):
        Engine({"hey_jarvis": Word()})


def test_hey_jarvis_in_one_breath_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    start = 7 * RATE
    events, status = listen(
        openwakeword, Settings(), speech("cmd_after_wake"), monkeypatch, start=start
    )
    (event,) = events
    assert isinstance(event, WakeHeard)
    assert (event.word, event.score >= 0.5) == ("hey_jarvis", True)
    assert (event.position - start) % FRAME == 0
    # "hey jarvis" is spoken from 1.5 s to 2.1 s, the sentence ends at 4.1 s.
    assert 2.0 * RATE <= event.position - start <= 2.8 * RATE
    assert status["frames_examined"] == len(speech("cmd_after_wake")) // 2 // FRAME + 1
    assert status["frames_dropped"] == 0


def test_several_words_each_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = speech("pos_alexa_gbf5") + speech("neg_jarvis") + speech("pos_hey_jarvis_sc140")
    both = Settings({"hey_jarvis": Word(), "alexa": Word()})
    events, _ = listen(openwakeword, both, sound, monkeypatch)
    assert [event.word for event in events if isinstance(event, WakeHeard)] == [
        "alexa",
        "hey_jarvis",
    ]


def test_a_word_below_a_high_threshold_is_a_near_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = Settings({"hey_jarvis": Word(threshold=1.0)})
    sound = speech("pos_hey_jarvis_gb160") + silence(RATE)
    events, status = listen(openwakeword, strict, sound, monkeypatch)
    (event,) = events
    assert isinstance(event, WakeNearlyHeard)
    assert event.score >= 0.9
    assert status["near_misses"] == 1


def test_a_model_of_your_own_is_loaded_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(stock_model("alexa_v0.1.onnx").read_bytes())
    word = Word(model=str(mine))
    sound = speech("pos_alexa_gbf5")
    events, status = listen(openwakeword, Settings({"hey_pi": word}), sound, monkeypatch)
    assert [event.word for event in events if isinstance(event, WakeHeard)] == ["hey_pi"]
    assert status["words"] == "hey_pi"
    assert status["licence"] == f"hey_pi: yours, of {mine}"
    assert status["sha256 of mine.onnx"] == hashlib.sha256(mine.read_bytes()).hexdigest()


def test_a_model_with_a_longer_window_is_heard_too() -> None:
    engine = Engine({"weather": Word(), "alexa": Word()})
    sound = speech("pos_alexa_gbf5")
    together = [engine.scores(piece)["alexa"] for piece in pieces(sound, FRAME)]
    assert max(together) >= 0.9


def test_the_status_names_models_and_licence(engine: Engine) -> None:
    about = engine.about()
    assert about["engine"] == "openwakeword"
    assert about["words"] == "hey_jarvis, alexa, hey_mycroft"
    assert "hey_jarvis: CC BY-NC-SA 4.0: not for commercial use" in str(about["licence"])
    for name in ("melspectrogram.onnx", "embedding_model.onnx", "hey_jarvis_v0.1.onnx"):
        sha256 = hashlib.sha256(stock_model(name).read_bytes()).hexdigest()
        assert about[f"sha256 of {name}"] == sha256


def test_an_unknown_word_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"hey_jarvis.*path of an \.onnx file"):
        Settings({"computer": Word()})
    with pytest.raises(ValueError, match='"button"'):
        Settings({})


@pytest.mark.parametrize("name", ["silero_vad.onnx", "timer_v0.1.onnx", "embedding_model.onnx"])
def test_a_model_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Engine({"hey_pi": Word(model=str(stock_model(name)))})


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a model"):
        Engine({"hey_pi": Word(model=str(WAVES / "neg_jarvis.wav"))})
    with pytest.raises(FileNotFoundError):
        Engine({"hey_pi": Word(model=str(tmp_path / "nowhere.onnx"))})


def test_nothing_of_it_is_told_to_anyone_or_kept_about_this_machine(tmp_path: Path) -> None:
    """Some builds of onnxruntime number the machine at import and report every start."""
    story = (
        "from edged.wake.openwakeword import Engine, Word; import os, time;"
        "Engine({'hey_jarvis': Word()}); assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    )
    done = subprocess.run(
        [sys.executable, "-c", story],
        env={**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
