"""The evening's other conversations: held to talk, ended by a press, and one with nobody in it."""

import asyncio
import time

import numpy as np

from ..hearing import RATE, Samples
from .conversation import QUIET_S
from .record import Press
from .stage import BUTTON
from .timeline import LIGHTS
from .watch import Watch, is_clean, is_whole

PRESSED = "and what should I wear when I go out for a walk on Monday?"
ANSWER = "A light coat will do."
FALSE_WAKE_S = 3.0

_LIGHT_MS = 50
_ASKED_MS = 250
_BREATH_S = 0.5
_TONGUE_S = 0.1
"""The person speaks before the button is down."""
_FINGER_S = 0.2
"""And has finished a moment before it is let go."""
_GREETING_S = 0.6
"""By then the earcon of a wake is over."""


class Fingers:
    """The acts in which a button is pressed, in order."""

    def __init__(self, watch: Watch, pressed: Samples) -> None:
        self._watch = watch
        self._here = watch.here
        self._daemon = watch.here.daemon
        self._pressed = pressed

    async def play(self) -> None:
        """All of them; raises what the daemon's failing raises."""
        await self._push_to_talk()
        await self._button_end()
        await self._button_wake()

    async def _push_to_talk(self) -> None:
        """Held while the person speaks, who is answered when it is let go."""
        watch, here = self._watch, self._here
        await asyncio.sleep(QUIET_S)
        began = time.monotonic()
        watch.say("person", f"(holds the button) {PRESSED}")
        watch.mark("held to talk")
        breath = np.zeros(round(_BREATH_S * RATE), np.int16)
        saying = here.room.say(np.concatenate([breath, self._pressed]))
        begins = await asyncio.to_thread(lambda: saying.started) + _BREATH_S
        await asyncio.sleep(begins + _TONGUE_S - time.monotonic())
        down, lit = await self._down()
        await asyncio.to_thread(saying.wait, 30)
        await asyncio.sleep(_FINGER_S)
        up = await here.pins.release(BUTTON)
        watch.say("person", "(lets it go)")
        await watch.hears(down)
        spoken = await watch.spoken(self._pressed, began)
        answer = await watch.judges(2, spoken.end)
        arrived = await watch.arrived(spoken.sound, 2)
        asked_ms = self._asked_ms(up)
        await asyncio.to_thread(here.loudspeaker.wait_until, watch.heard_until + QUIET_S)
        between = watch.sent_bytes(2, since=up + _ASKED_MS / 1000)
        press = Press(
            light_ms=round((lit - down) * 1000, 1),
            before_ms=round((down - spoken.start) * 1000),
            lost_samples=arrived.lost_samples,
            asked_ms=asked_ms,
            between_bytes=between,
        )
        watch.record.push_to_talk = press
        off = self._detection(2) is None
        right, shown = await watch.lights("hearing", "speaking")
        ok = press.light_ms <= _LIGHT_MS and asked_ms is not None and asked_ms <= _ASKED_MS
        watch.observe(
            "push_to_talk",
            ok and off and right and between == 0 and is_whole(arrived) and is_clean(answer),
            f"light {press.light_ms:g} ms after the press; turn detection {'off' if off else 'on'};"
            f" {spoken.end - spoken.start:.2f} s, begun {press.before_ms} ms before the press,"
            f" {press.lost_samples} samples lost, correlation {arrived.correlation:.3f}; committed"
            f" and asked {asked_ms} ms after the release; answered, correlation"
            f" {answer.correlation:.4f}, {answer.gaps} gaps;"
            f" {between} bytes of sound since; {shown}",
        )

    async def _down(self) -> tuple[float, float]:
        """Press the button; the times of the edge and of the light, by the pins' own clock."""
        white = LIGHTS["waking"]
        light = asyncio.create_task(self._here.pins.wait_for(lambda _: self._here.light == white))
        down = await self._here.pins.press(BUTTON)
        return down, await light

    def _asked_ms(self, up: float) -> int | None:
        """How long after the release the words were committed and an answer was asked for."""
        asked = [
            self._watch.events(2, kind, since=up)
            for kind in ("input_audio_buffer.commit", "response.create")
        ]
        if not all(len(events) == 1 for events in asked):
            return None
        return round((self._watch.clock + max(e[0].t for e in asked) - up) * 1000)

    def _detection(self, session: int) -> object:
        """The turn detection in force on a connection; None when there is none."""
        told = self._watch.events(session, "session.updated")[-1]
        return told.details["session"]["audio"]["input"]["turn_detection"]

    async def _button_end(self) -> None:
        """A short press listens as a wake word does; another one ends the conversation."""
        watch, here = self._watch, self._here
        began = time.monotonic()
        watch.say("person", "(presses the button)")
        await here.press()
        await self._daemon.reaches("listening", since=began)
        await asyncio.sleep(QUIET_S / 2)
        on = self._detection(2) is not None
        again = time.monotonic()
        watch.say("person", "(presses it again)")
        await here.press()
        asleep = await self._daemon.reaches("asleep", since=again)
        await here.closed(2)
        right, shown = await watch.lights("listening", "asleep")
        watch.observe(
            "button_end",
            on and right,
            f"turn detection {'on' if on else 'off'} after one press, asleep"
            f" {round((asleep - again) * 1000)} ms after the other; {shown}",
        )

    async def _button_wake(self) -> None:
        """Woken by the button, and nobody speaks."""
        watch, here = self._watch, self._here
        await asyncio.sleep(QUIET_S)
        began = time.monotonic()
        watch.say("person", "(presses the button, and says nothing)")
        await here.press()
        listening = await self._daemon.reaches("listening", since=began)
        opened = len(here.server.visits) == 3
        took = listening - began
        watch.observe("button_wake", opened, f"a new session, listening {took:.2f} s later")
        asleep = await self._daemon.reaches("asleep", since=listening)
        await here.closed(3)
        await self._daemon.says("woken by button, and nobody spoke", since=began)
        silent = await watch.silent(began + _GREETING_S, asleep + _GREETING_S)
        answered = len(watch.events(3, "response.created"))
        asleep_bytes = here.asleep_bytes()
        watch.record.asleep_bytes_sent = asleep_bytes
        waited = asleep - listening
        watch.observe(
            "false_wake",
            silent and not answered and asleep_bytes == 0 and abs(waited - FALSE_WAKE_S) < 1.0,
            f"closed after {waited:.1f} s {'in silence' if silent else 'with a sound'}, and"
            f" journalled; {answered} answers; {asleep_bytes} bytes were sent while asleep",
        )
