"""openWakeWord models on onnxruntime: "hey jarvis" and its kin, or a model of your own.

The models come inside the distribution openwakeword 0.4.0. It is found and not imported: its
import loads scipy and scikit-learn, which take seconds and 200 MB and have no part in hearing.
What it does with the models is done here on one thread with numpy, with the same scores: sound,
mel spectrum (8 rows of 32 a frame), embedding of the last 76 rows (96 numbers), classifier of the
last embeddings (16 for most words).
"""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

if sys.maxsize < 2**32:
    raise ImportError(
        "openwakeword needs a 64-bit system, onnxruntime is not made for 32-bit ARM;"
        ' install a 64-bit system or choose the wake driver "microwakeword" or "button"'
    )

# Nothing leaves the device: some wheels tell their maker of every start, and give the machine a
# number to be known by. The variable is read at import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from .. import home
from ..ports import Feed, Wake
from ._detector import Word
from ._gate import Gate
from ._worker import Worker

FRAME = 1280
"""Samples between two scores: 80 ms."""

_BEFORE = 480
"""Samples before a frame that its mel spectrum sees too: three steps of 10 ms."""

_MEL_ROWS, _MEL_BANDS, _MEL_STEP = 76, 32, 8
_EMBEDDING = 96

_STOCK = ("alexa", "hey_jarvis", "hey_marvin", "hey_mycroft", "weather")
"""Words whose model comes with the distribution and gives one score a frame."""

_LICENCE = "CC BY-NC-SA 4.0: not for commercial use"
"""Of the stock models, from the section License of the distribution's own description."""


_UNREADABLE = (
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NotImplemented,
    failures.RuntimeException,
)
"""What onnxruntime raises for a file that is no model, or one it cannot run."""


@dataclass(frozen=True)
class Settings:
    """Which words wake, by name; each may have a table of its own."""

    words: Mapping[str, Word] = field(default_factory=lambda: {"hey_jarvis": Word()})
    """A table for each word that wakes, empty to take it as it is: alexa, hey_jarvis,
    hey_marvin, hey_mycroft, weather, or any name with `model` set to the path of an .onnx file.
    Only the words that have a table wake."""
    energy_gate: bool = False
    """Whether the engine rests while nothing is louder than the room's noise: spares a small
    board nearly all of its work in a quiet room, and none beside a television."""

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError('no word to wake by; for none, choose the wake driver "button"')
        for name, word in self.words.items():
            if not word.model and name not in _STOCK:
                raise ValueError(
                    f'there is no wake word "{name}"; there are {", ".join(_STOCK)}, and any other'
                    " one once its `model` is the path of an .onnx file"
                )


def open(settings: Settings, feed: Feed) -> Wake:
    """Load the models and listen on a thread; feeds `WakeHeard` and `WakeNearlyHeard`.

    Raises FileNotFoundError for a model or a distribution that is not there, ValueError for a
    model of another shape.
    """
    engine = Engine(settings.words)
    ear = Gate(engine, settings.words) if settings.energy_gate else engine
    return Worker(ear, settings.words, engine.about(), feed)


class Engine:
    """The three models in a row, and what they remember."""

    frame = FRAME

    def __init__(self, words: Mapping[str, Word]) -> None:
        stock = _stock_folder()
        self._mel = _Model(stock / "melspectrogram.onnx")
        self._embedding = _Model(stock / "embedding_model.onnx")
        self._embedding.expect((None, _MEL_ROWS, _MEL_BANDS, 1), (None, 1, 1, _EMBEDDING))
        self._classifiers = {
            name: _Classifier(home.path(word.model) if word.model else stock / f"{name}_v0.1.onnx")
            for name, word in words.items()
        }
        self._words = words
        longest = max(classifier.window for classifier in self._classifiers.values())
        self._sound = np.zeros((1, _BEFORE + FRAME), np.float32)
        self._silent_row = self._spectrum()[-1]
        self._rows = np.tile(self._silent_row, (_MEL_ROWS, 1))
        self._silent_embedding = self._embed()
        self._embeddings = np.empty((longest, _EMBEDDING), np.float32)
        self.restart()

    def restart(self) -> None:
        """Have heard nothing but digital silence, for ever."""
        self._sound[:] = 0
        self._rows[:] = self._silent_row
        self._embeddings[:] = self._silent_embedding

    def scores(self, samples: bytes) -> Mapping[str, float]:
        """The score of each word after one more frame of 16-bit mono sound at 16 kHz."""
        self._sound[0, :_BEFORE] = self._sound[0, FRAME:]
        self._sound[0, _BEFORE:] = np.frombuffer(samples, "<i2", FRAME)
        self._rows[:-_MEL_STEP] = self._rows[_MEL_STEP:]
        self._rows[-_MEL_STEP:] = self._spectrum()
        self._embeddings[:-1] = self._embeddings[1:]
        self._embeddings[-1] = self._embed()
        return {
            name: classifier.score(self._embeddings)
            for name, classifier in self._classifiers.items()
        }

    def about(self) -> Mapping[str, str | int]:
        """Engine, words, licence, and the SHA-256 of each model by its file's name."""
        used = [self._mel, self._embedding, *self._classifiers.values()]
        return {
            "engine": "openwakeword",
            "words": ", ".join(self._words),
            "licence": "; ".join(
                f"{name}: {'yours, of ' + word.model if word.model else _LICENCE}"
                for name, word in self._words.items()
            ),
            **{f"sha256 of {model.file.name}": model.sha256 for model in used},
        }

    def _spectrum(self) -> NDArray[np.float32]:
        # The scaling makes this mel spectrum that of the network the embedding came from.
        rows = self._mel.run(self._sound).reshape(-1, _MEL_BANDS)
        return rows / np.float32(10) + np.float32(2)

    def _embed(self) -> NDArray[np.float32]:
        return self._embedding.run(self._rows[None, :, :, None]).reshape(_EMBEDDING)


class _Model:
    """A network with one input and one output, on one thread."""

    def __init__(self, file: Path) -> None:
        self.file = file
        content = self.file.read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        try:
            self._session = onnxruntime.InferenceSession(
                content, _one_thread(), providers=["CPUExecutionProvider"]
            )
        except _UNREADABLE as error:
            raise ValueError(f"{self.file} is not a model that onnxruntime can run") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [port.type for port in (*inputs, *outputs)] != ["tensor(float)"] * 2:
            raise ValueError(f"{self.file} has not one input and one output of 32-bit floats")
        self._input = inputs[0].name
        self.shapes = [tuple(port.shape) for port in (inputs[0], outputs[0])]

    def expect(self, *shapes: tuple[int | None, ...]) -> None:
        """Raise ValueError unless input and output have these shapes; None fits any size."""
        for shape, wanted in zip(self.shapes, shapes, strict=True):
            fits = len(shape) == len(wanted) and all(
                want in (None, size) or (want == 1 and isinstance(size, str))
                for size, want in zip(shape, wanted, strict=True)
            )
            if not fits:
                shown = " and ".join(str(shape) for shape in self.shapes)
                raise ValueError(f"{self.file} is no such model: its input and output are {shown}")

    def run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = self._session.run(None, {self._input: values})[0]
        return result


class _Classifier(_Model):
    """The last step, one for each word."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        sizes = self.shapes[0]
        window = sizes[1] if len(sizes) == 3 else None
        self.window = window if isinstance(window, int) else 0
        self.expect((1, self.window or -1, _EMBEDDING), (1, 1))

    def score(self, embeddings: NDArray[np.float32]) -> float:
        return float(self.run(embeddings[None, -self.window :])[0, 0])


def _stock_folder() -> Path:
    spec = importlib.util.find_spec("openwakeword")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "resources" / "models"
        if (folder / "embedding_model.onnx").exists():
            return folder
    raise FileNotFoundError(
        "the wake word models are missing: pip install --no-deps openwakeword==0.4.0"
    )


def _one_thread() -> onnxruntime.SessionOptions:
    """One thread that never spins: onnxruntime's defaults burn six times the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options
