"""microWakeWord models: "okay nabu" or "alexa" for boards with little memory.

Needs the extra `edged[microwakeword]`; the models come inside the distribution pymicro-wakeword.
It takes a fifth of the CPU of openwakeword, and hears "hey jarvis" and "hey mycroft" worse.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

try:
    import pymicro_wakeword
except ImportError as missing:
    raise ImportError(
        "microwakeword needs a package more: pip install 'edged[microwakeword]'"
    ) from missing

from .. import home
from ..ports import Feed, Wake
from ._detector import Word
from ._worker import Worker

FRAME = 480
"""Samples between two scores: 30 ms."""

_STOCK = ("alexa", "okay_nabu")
"""Words of the distribution that this engine hears well."""

_WEAK = ("hey_jarvis", "hey_mycroft")
"""Measured on synthetic speech: the first is missed 7 times in 10, the second wakes wrongly."""

_LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Settings:
    """Which words wake, by name; each may have a table of its own."""

    words: Mapping[str, Word] = field(default_factory=lambda: {"okay_nabu": Word(threshold=0.7)})
    """A table for each word that wakes, empty to take it as it is: okay_nabu, alexa, or any name
    with `model` set to the path of a .json file that describes a .tflite file beside it. Only
    the words that have a table wake."""

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError('no word to wake by; for none, choose the wake driver "button"')
        for name, word in self.words.items():
            if word.model or name in _STOCK:
                continue
            if name in _WEAK:
                raise ValueError(
                    f'"{name}" is not heard well enough by microwakeword: take {_STOCK[1]} or'
                    f' {_STOCK[0]}, or the wake driver "openwakeword"'
                )
            raise ValueError(
                f'there is no wake word "{name}"; there are {", ".join(_STOCK)}, and any other'
                " one once its `model` is the path of a .json file"
            )


def open(settings: Settings, feed: Feed) -> Wake:
    """Load the models and listen on a thread; feeds `WakeHeard` and `WakeNearlyHeard`.

    Raises FileNotFoundError for a model that is not there, ValueError for one of another kind.
    """
    engine = Engine(settings.words)
    return Worker(engine, settings.words, engine.about(), feed)


class Engine:
    """One small network for each word, all fed by one analysis of the sound."""

    frame = FRAME

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words
        self._files = {name: _description(name, word) for name, word in words.items()}
        self._models = {
            name: pymicro_wakeword.MicroWakeWord.from_config(file)
            for name, file in self._files.items()
        }
        self._features = pymicro_wakeword.MicroWakeWordFeatures()

    def restart(self) -> None:
        """Forget everything heard."""
        # Networks and analysis both remember; one without the other gives wrong scores.
        for model in self._models.values():
            model.reset()
        self._features = pymicro_wakeword.MicroWakeWordFeatures()

    def scores(self, samples: bytes) -> Mapping[str, float]:
        """The score of each word, a mean of 150 ms, after 30 ms more of 16-bit mono sound."""
        best = dict.fromkeys(self._models, 0.0)
        for features in self._features.process_streaming(samples):
            for name, model in self._models.items():
                best[name] = max(best[name], model.process_streaming_prob(features) or 0.0)
        return best

    def about(self) -> Mapping[str, str | int]:
        """Engine, words, licence, and the SHA-256 of each model by its file's name."""
        models = [Path(model.tflite_model) for model in self._models.values()]
        return {
            "engine": "microwakeword",
            "words": ", ".join(self._words),
            "licence": "; ".join(
                f"{name}: {'yours, of ' + word.model if word.model else _LICENCE}"
                for name, word in self._words.items()
            ),
            **{
                f"sha256 of {file.name}": hashlib.sha256(file.read_bytes()).hexdigest()
                for file in models
            },
        }


def _description(name: str, word: Word) -> Path:
    """The .json file that tells which model it is."""
    stock = Path(pymicro_wakeword.__file__).parent / "models" / f"{name}.json"
    file = home.path(word.model) if word.model else stock
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        model = file.parent / told["model"]
        _ = told["wake_word"], told["micro"]["probability_cutoff"]
        _ = told["micro"]["sliding_window_size"]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{file} does not describe a microWakeWord model: {error!r}") from error
    # The library kills the process over a file that is none.
    if model.read_bytes()[4:8] != b"TFL3":
        raise ValueError(f"{model} is not a TensorFlow Lite model")
    return file
