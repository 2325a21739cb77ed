"""What the speaker does and tells when it is asked on its control socket."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import assert_never

from . import speech
from .control import ControlError, News, Request
from .core.commands import Fact, note
from .core.events import MuteAsked, StopAsked, VolumeTurned, WakeAsked
from .core.scenes import Scene
from .observer import Observer, TooSlow
from .runner import Devices, Runner

_AT_REST = (Scene.ASLEEP, Scene.MUTED, Scene.TROUBLE)
"""When nobody is on the line."""
_PIECE_S = 0.5
"""So much is made ready at a time of what is to be said: a small board hears on meanwhile."""
_QUEUE = 4
"""So many texts may be said, and wait for it."""
_GLANCE_S = 0.1
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
        announces: bool,
    ) -> None:
        """`thresholds` are those of the wake words, by name; `announces`: the provider can."""
        self._runner = runner
        self._devices = devices
        self._observer = observer
        self._thresholds = thresholds
        self._voice = voice
        self._wire_rate = wire_rate
        self._announces = announces
        self._one_at_a_time = asyncio.Lock()
        self._told_to_stop = 0
        self._queue = 0
        """Texts that are being said, or wait for it."""

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
                return self._say(request.text or "", local=request.local)
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
        self._runner.feed(StopAsked())
        self._devices.sound.say(b"")

    def _mute(self, on: bool) -> None:
        self._runner.feed(MuteAsked(on))
        if self._runner.state == Scene.MUTED and not on:
            raise ControlError("its switch stands on mute", "turn the switch; nothing outranks it")

    async def _say(self, text: str, *, local: bool) -> AsyncGenerator[Mapping[str, object], None]:
        """Have a text said behind what is being said already; the reply comes once it was heard.

        By the provider, in a conversation too, once the answer under way is over; or by the box
        itself if that is wanted or the provider cannot be had. Somebody who mutes the speaker does
        not want to be heard, and can hear: nothing goes to the provider then.
        """
        if not text.strip() or len(text) > speech.LONGEST:
            hint = f"a text of 1 to {speech.LONGEST} characters"
            raise ControlError("that cannot be said", hint)
        if speech.hushed(self._voice):
            hint = "say it later; `quiet_hours` in [speech]"
            raise ControlError("nothing is said in the quiet hours", hint)
        if self._queue >= _QUEUE:
            raise ControlError("it still has too much to say", "say it later: edged say TEXT")
        before = self._told_to_stop
        self._queue += 1
        try:
            async with self._one_at_a_time:
                self._go_on(before)
                if local or not self._announces or not await self._announce(text, before):
                    await self._speak(text, before)
                    voice = "box"
                else:
                    voice = "provider"
                # What was said may be private.
                self._runner.tell(note(Fact.ANNOUNCED, f"announced by the {voice}", voice=voice))
                yield {"voice": voice}
        finally:
            self._queue -= 1

    async def _announce(self, text: str, before: int) -> bool:
        """Whether the provider has said it."""
        told = await self._runner.announce(text)
        self._go_on(before)
        if told.begun and not told.whole:
            raise ControlError("it was interrupted", "say it again")
        return told.whole

    async def _speak(self, text: str, before: int) -> None:
        """Say it with the box's own voice, into no conversation."""
        self._be_at_rest()
        try:
            spoken = await speech.speak(text, self._voice)
        except speech.Speechless as problem:
            raise ControlError(str(problem), problem.hint) from problem
        stream = self._devices.resampler(spoken.rate, self._wire_rate)
        piece = 2 * int(_PIECE_S * spoken.rate)
        loop = asyncio.get_running_loop()
        until = loop.time() + spoken.seconds
        for at in range(0, len(spoken.samples), piece):
            self._go_on(before)
            self._be_at_rest()
            self._devices.sound.say(stream.convert(spoken.samples[at : at + piece]))
            await asyncio.sleep(0)
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, _GLANCE_S))
            self._go_on(before)
            self._be_at_rest()

    def _go_on(self, before: int) -> None:
        if before != self._told_to_stop:
            raise ControlError("it was told to stop", "say it again")
        if "speaker" not in self._devices.sound.status():
            raise ControlError("its loudspeaker is missing", _WHY)

    def _be_at_rest(self) -> None:
        if self._runner.state not in _AT_REST:
            message = f"it is in a conversation: it is {self._runner.state}"
            raise ControlError(message, "say it later, or end the conversation first: edged stop")

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
