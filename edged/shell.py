"""What the speaker does and tells when it is asked on its control socket."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import assert_never

from . import speech
from .control import ControlError, News, Request
from .core.events import MuteAsked, StopAsked, VolumeTurned, WakeAsked
from .core.scenes import Scene
from .observer import Observer, TooSlow
from .runner import Devices, Runner

_AT_REST = (Scene.ASLEEP, Scene.MUTED, Scene.TROUBLE)
"""When nobody is on the line."""
_PIECE_S = 0.5
"""So much is made ready at a time of what is to be said: a small board hears on meanwhile."""
_MOST_S = 120.0
"""So much may wait to be said."""
_WHY = "`journalctl -u edged` tells why"


class Shell:
    """Answers requests; every refusal is a `ControlError` that says what to do."""

    def __init__(
        self,
        runner: Runner,
        devices: Devices,
        observer: Observer,
        *,
        thresholds: Mapping[str, float],
        voice: speech.Settings,
        wire_rate: int,
    ) -> None:
        """`thresholds` are those of the wake words, by name."""
        self._runner = runner
        self._devices = devices
        self._observer = observer
        self._thresholds = thresholds
        self._voice = voice
        self._wire_rate = wire_rate
        self._one_at_a_time = asyncio.Lock()
        self._told_to_stop = 0
        self._said_until = 0.0
        """When the last word will have been said, by the loop's clock, if nothing ends them."""

    def answer(self, request: Request) -> Mapping[str, object] | News:
        """As a `control.Handle`."""
        match request.verb:
            case "wake":
                self._wake()
            case "stop":
                self._stop()
            case "mute":
                self._mute(bool(request.on))
            case "volume":
                self._runner.feed(VolumeTurned(request.steps or 0, request.db))
            case "status":
                pass
            case "say":
                return self._say(request.text or "")
            case "watch":
                return self._watch()
            case _:
                assert_never(request.verb)
        return self._status()

    def _status(self) -> Mapping[str, object]:
        known = dict(self._runner.status())
        return {**self._observer.status(), **known}

    def _wake(self) -> None:
        self._runner.feed(WakeAsked())
        if self._runner.state in _AT_REST:
            hint = f"{_WHY}; a muted speaker is unmuted first: edged mute off"
            raise ControlError(f"it cannot be woken: it is {self._runner.state}", hint)

    def _stop(self) -> None:
        self._told_to_stop += 1
        self._said_until = 0.0
        self._runner.feed(StopAsked())
        self._devices.sound.say(b"")

    def _mute(self, on: bool) -> None:
        self._runner.feed(MuteAsked(on))
        if self._runner.state == Scene.MUTED and not on:
            raise ControlError("its switch stands on mute", "turn the switch; nothing outranks it")

    async def _say(self, text: str) -> AsyncGenerator[Mapping[str, object], None]:
        """Speak behind what is being said already; the reply comes once the sound is handed over.

        A conversation is not spoken into, and ends what is being said. Somebody who mutes the
        speaker does not want to be heard, and can hear.
        """
        if not text.strip() or len(text) > speech.LONGEST:
            hint = f"a text of 1 to {speech.LONGEST} characters"
            raise ControlError("that cannot be said", hint)
        before = self._told_to_stop
        async with self._one_at_a_time:
            self._be_at_rest()
            now = asyncio.get_running_loop().time()
            if self._said_until > now + _MOST_S:
                raise ControlError("it still has too much to say", "say it later: edged say TEXT")
            try:
                spoken = await speech.speak(text, self._voice)
            except speech.Speechless as problem:
                raise ControlError(str(problem), problem.hint) from problem
            stream = self._devices.resampler(spoken.rate, self._wire_rate)
            piece = 2 * int(_PIECE_S * spoken.rate)
            for at in range(0, len(spoken.samples), piece):
                self._be_at_rest()
                if before != self._told_to_stop:
                    raise ControlError("it was told to stop", "say it again")
                self._devices.sound.say(stream.convert(spoken.samples[at : at + piece]))
                await asyncio.sleep(0)
            self._said_until = max(now, self._said_until) + spoken.seconds
        yield {"seconds": round(spoken.seconds, 1)}

    def _be_at_rest(self) -> None:
        if self._runner.state not in _AT_REST:
            message = f"it is in a conversation: it is {self._runner.state}"
            raise ControlError(message, "say it later, or end the conversation first: edged stop")
        if "speaker" not in self._devices.sound.status():
            raise ControlError("its loudspeaker is missing", _WHY)

    async def _watch(self) -> AsyncGenerator[Mapping[str, object], None]:
        """News as they come, and at every tick how it is, with the scores of the wake words."""
        heard: Callable[[], Mapping[str, float]] = self._devices.wake.scores
        try:
            async with contextlib.aclosing(self._observer.watch()) as watched:
                async for news in watched:
                    for each in news:
                        yield each
                    scores = {word: round(score, 3) for word, score in heard().items()}
                    yield {
                        "now": {
                            **self._observer.now(),
                            "speaker_dbfs": self._devices.sound.status().get("speaker_level_dbfs"),
                            "scores": scores,
                            "thresholds": self._thresholds,
                        }
                    }
        except TooSlow as slow:
            raise ControlError("you do not read fast enough", "watch again") from slow
