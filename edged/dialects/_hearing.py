"""What a Realtime provider says, told as the core's events; one session after the other."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, assert_never

import msgspec

from ..core import events as ev
from . import _errors
from . import _events as wire
from ._sound import Wire

ASIDE = "edged_aside"
"""Metadata key of a response that is side work and must not be heard."""
ASK = "ask"
"""In the name of every request for an answer."""
CONFIGURE, LEAST = "edged-configure", "edged-configure-least"
"""The names of the first configuration, and of what is asked for when that is refused."""

_KINDS_COUNTED = 64
_LAST = 4e9
"""Unix seconds; the year 2096."""
_STATUSES = ("completed", "cancelled", "incomplete", "failed")


class Hearing:
    """Decodes events; knows what was asked for only as far as an answer needs it.

    `unknown` counts events by type that no table names, `malformed` those that do not have
    their type's shape ("" where not even a type can be read); each counts at most 64 types
    by name and the others together under "...".
    """

    decoders: ClassVar[Mapping[str, msgspec.json.Decoder[Any]]] = wire.DECODERS
    ignored: ClassVar[Mapping[str, str]] = wire.IGNORED

    def __init__(self, sound: Wire) -> None:
        # Its tables are made now, when nobody waits for them.
        sound.unpack(sound.pack(b""))
        self._sound = sound
        self.unknown: Counter[str] = Counter()
        self.malformed: Counter[str] = Counter()
        self.restart()

    def oddities(self) -> str:
        """What was unknown or malformed since the last call, by kind and count; "" for nothing."""
        kinds = [f"{kind} x{count}" for kind, count in self.unknown.items()]
        kinds += [
            f"malformed {kind or 'message'} x{count}" for kind, count in self.malformed.items()
        ]
        self.unknown.clear()
        self.malformed.clear()
        return ", ".join(kinds)

    def restart(self) -> None:
        """Forget the last session; the counters go on."""
        self.expires_at: float | None = None
        """When the provider will end this session, in Unix seconds; None until it says so."""
        self._accepted = False
        self._configuring = False
        self._limited = False
        self._reply = ""
        self._asides: set[str] = set()

    def decode(self, text: str | bytes) -> list[ev.Event]:
        """What one message of the provider's means; nothing for what is unknown or malformed.

        Raises nothing, whatever `text` is. The session is over at a `LinkDown`, and wants to be
        configured again after a `SessionLimited`.
        """
        kind = ""
        try:
            kind = _KIND.decode(text).type
            if kind in self.ignored:
                return []
            decoder = self.decoders.get(kind)
            if decoder is not None:
                return self._understand(decoder.decode(text))
        # Decoding errors and broken UTF-8 are ValueErrors; deep nesting is a RecursionError.
        except (ValueError, RecursionError):
            _count(self.malformed, kind)
            return []
        _count(self.unknown, kind)
        return []

    def _understand(self, event: wire.ServerEvent) -> list[ev.Event]:
        match event:
            case wire.SessionCreated(session):
                return self._created(session)
            case wire.SessionUpdated():
                # It names no request: the first one answers the configuration, before which
                # nothing else is asked for; later ones need no answer.
                ready, self._configuring = self._configuring, False
                return [ev.LinkReady()] if ready else []
            case wire.Failed(error, code, message):
                told = error or {"code": code, "message": message}
                return [self._failed(_errors.fault(told))]
            case wire.HeardSpeech(item, start_ms):
                return [ev.SpeechStarted(item, round(start_ms))]
            case wire.HeardSilence(item, end_ms):
                return [ev.SpeechStopped(item, round(end_ms))]
            case wire.Committed(item):
                return [ev.UserItemCommitted(item)]
            case wire.Transcribed(item, transcript, bill):
                return [ev.UserText(item, transcript, self._bill(_WRITTEN, bill))]
            case wire.NotTranscribed(told):
                error = _errors.fault(told)
                code = error.code or "transcription_failed"
                return [ev.RequestRefused(code, f"not transcribed: {error.words}", benign=True)]
            case wire.ResponseCreated(response):
                return self._began(response)
            case wire.ResponseDone(response):
                return self._finished(response)
            case (
                wire.ItemDone() | wire.SoundDelta() | wire.TranscriptDelta() | wire.TranscriptDone()
            ):
                return [] if event.response_id in self._asides else self._replied(event)
            case _:
                assert_never(event)

    def _created(self, session: wire.SessionShape) -> list[ev.Event]:
        told = session.expires_at
        number = isinstance(told, int | float) and not isinstance(told, bool)
        if number and abs(told) < _LAST:
            self.expires_at = float(told)
        if self._accepted:
            return []
        self._accepted = True
        return [ev.LinkAccepted(session.id or "", session.model or "")]

    def _failed(self, error: _errors.Fault) -> ev.Event:
        down = _errors.ending(error)
        if down is not None:
            return down
        detail = _errors.brief(error.message)
        mine = LEAST if self._limited else CONFIGURE
        # Until the configuration is confirmed nothing else has been asked for.
        if error.event == mine or (self._configuring and not error.event):
            passing = _errors.transient(error)
            if not self._limited and not passing:
                self._limited = True
                return ev.SessionLimited(error.words)
            refused = _errors.brief(f"the session was refused: {error.message}")
            code = error.code or error.kind
            what = ev.Trouble.PROVIDER
            return ev.LinkDown(what, code, refused, transient=passing, fatal=not passing)
        race = _errors.benign(error)
        if error.event:
            detail = f"{detail} (to {error.event})"
        code, busy = race or error.code or error.kind, race == _errors.BUSY
        # What names nothing of ours is about the answer that is due, if one is.
        unnamed = not (error.event or race)
        asked = busy or unnamed or error.event.startswith(f"edged-{ASK}-")
        passing = _errors.transient(error)
        return ev.RequestRefused(code, detail, bool(race), asked, busy, passing)

    def _began(self, response: wire.ResponseShape) -> list[ev.Event]:
        reply = response.id or ""
        # Some servers name no conversation in ordinary answers: the mark decides too.
        if (
            response.conversation_id is None
            and isinstance(response.metadata, Mapping)
            and ASIDE in response.metadata
        ):
            self._asides.add(reply)
            return []
        self._reply = reply
        return [ev.ReplyStarted(reply)]

    def _finished(self, response: wire.ResponseShape) -> list[ev.Event]:
        reply = response.id or self._reply
        if reply in self._asides:
            self._asides.discard(reply)
            return []
        status = response.status or "completed"
        if status not in _STATUSES:
            status = "failed"
        told = response.status_details
        details = told if isinstance(told, Mapping) else {}
        error = _errors.fault(details.get("error") if isinstance(told, Mapping) else told)
        reason = details.get("reason")
        failed = status == "failed"
        return [
            ev.ReplyDone(
                reply,
                status,
                reason if isinstance(reason, str) else "",
                _errors.fatal(error) if failed else None,
                error.words,
                self._bill(_SPENT, response.usage),
                transient=failed and _errors.transient(error),
            )
        ]

    def _bill(self, decoder: msgspec.json.Decoder[Any], told: msgspec.Raw) -> ev.Usage:
        bill: wire.Spent | wire.Written | None
        try:
            bill = decoder.decode(told)
        except ValueError:
            # What it is for counts even where its bill cannot be read.
            _count(self.malformed, "usage")
            return ev.Usage()
        return bill.usage() if bill else ev.Usage()

    def _replied(
        self, event: wire.ItemDone | wire.SoundDelta | wire.TranscriptDelta | wire.TranscriptDone
    ) -> list[ev.Event]:
        match event:
            case wire.SoundDelta(reply, item, sound, index):
                samples = self._sound.unpack(sound)
                if len(samples) % 2:
                    _count(self.malformed, "response.output_audio.delta")
                    samples = samples[:-1]
                return [ev.ReplyAudio(reply, item, index, samples)] if samples else []
            case wire.TranscriptDelta(reply, item, piece):
                return [ev.ReplyWords(reply, item, piece)] if piece else []
            case wire.TranscriptDone(reply, item, transcript):
                return [ev.ReplyText(reply, item, transcript)]
            case wire.ItemDone(reply, item):
                return self._called(reply, item)
            case _:
                assert_never(event)

    def _called(self, reply: str, item: wire.ItemShape) -> list[ev.Event]:
        """The call in a complete item; interrupted calls arrive as items too, incomplete."""
        if item.type == "mcp_approval_request" and item.id:
            return [ev.ApprovalAsked(reply, item.id, f"{item.server_label}.{item.name}")]
        if item.type != "function_call" or item.status != "completed":
            return []
        name, arguments = item.name or "", item.arguments or "{}"
        if not (item.call_id and name):
            message = f"the call of the tool {name!r} cannot be read"
            return [ev.RequestRefused("malformed_call", _errors.brief(message), benign=False)]
        return [ev.ToolCalled(reply, item.call_id, name, arguments)]


class _Kind(msgspec.Struct, frozen=True):
    type: str


_KIND = msgspec.json.Decoder(_Kind)
_SPENT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wire.Spent | None, strict=False)
_WRITTEN: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wire.Written | None, strict=False)


def _count(counter: Counter[str], kind: str) -> None:
    kind = kind[:80]
    counter[kind if kind in counter or len(counter) < _KINDS_COUNTED else "..."] += 1
