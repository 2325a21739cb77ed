"""OpenAI's Realtime protocol in its GA shape: wire text on one side, events and commands here.

Pure: it opens nothing and waits for nothing. A `Dialect` serves one session after the other.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, assert_never

import msgspec

from ..core import commands as cmd
from ..core import events as ev
from ..core.settings import Session, ToolSpec
from . import _errors, _session
from . import _events as wire
from . import _requests as request

ASIDE = "edged_aside"
"""Metadata key of a response that is side work and must not be heard."""

_ASK = "ask"
_CONFIGURE = "edged-configure"
_KINDS_COUNTED = 64
_STATUSES = ("completed", "cancelled", "incomplete", "failed")
_HARMLESS_IN_URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True)
class Settings:
    """Where OpenAI is, and how much of a long conversation is kept."""

    url: str = "wss://api.openai.com/v1/realtime"
    """The address of the service; ws:// is accepted for this machine only."""
    organization: str = ""
    """OpenAI's organization to bill; "" for the key's own."""
    project: str = ""
    """OpenAI's project to bill; "" for the key's own."""
    retention_ratio: Annotated[float, "0 to 1"] = 0.8
    """The share of a full context that is kept; below 1 it is cut seldom, which keeps it cached."""
    post_instructions_tokens: Annotated[int, "0 to 100000"] = 8000
    """The context counts as full at this many tokens after the instructions; 0 for the model's
    own limit."""


def open(session: Session, settings: Settings, tools: Sequence[ToolSpec] = ()) -> "Dialect":
    """The dialect that asks for `session` with these tools; `instructions` are text already."""
    return Dialect(session, settings, tools)


class Dialect:
    """Encodes commands and decodes events of one session after the other.

    `unknown` counts events by type that no table names, `malformed` those that do not have
    their type's shape ("" where not even a type can be read); each counts at most 64 types
    by name and the others together under "...".
    """

    wire_rate = _session.WIRE_RATE

    def __init__(self, session: Session, settings: Settings, tools: Sequence[ToolSpec]) -> None:
        self._session = session
        self.interrupts = True
        """Whether the provider ends an answer by itself when it hears speech; may be changed
        before a session."""
        self._settings = settings
        self._tools = tools
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
        self._accepted = False
        self._configuring = False
        self._requests = 0
        self._reply = ""
        self._asides: set[str] = set()

    # --- the line ---------------------------------------------------------------------

    def url(self) -> str:
        """Where to connect, model included."""
        base = self._settings.url
        return f"{base}{'&' if '?' in base else '?'}model={_quoted(self._session.model)}"

    def headers(self, key: str) -> dict[str, str]:
        """What to send with the request to connect; no authorization without a key."""
        told = {
            "Authorization": f"Bearer {key}" if key else "",
            "OpenAI-Organization": self._settings.organization,
            "OpenAI-Project": self._settings.project,
        }
        return {name: value for name, value in told.items() if value}

    def ended(self, code: int | None, reason: str) -> ev.LinkDown:
        """What it means that the line was closed with `code` (None when it just broke)."""
        return _errors.closed(code, reason)

    def refused(self, status: int, body: bytes) -> ev.LinkDown:
        """What it means that the request to connect got an HTTP `status`."""
        try:
            told = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            told = None
        return _errors.refused(status, told, body.decode(errors="replace"))

    # --- ours -------------------------------------------------------------------------

    def configure(self) -> str:
        """The text that configures the session; to be sent once, after `LinkAccepted`."""
        self._configuring = True
        asked = _session.config(
            self._session,
            self._tools,
            self._settings.retention_ratio,
            self._settings.post_instructions_tokens,
            interrupts=self.interrupts,
        )
        return _text(request.UpdateSession(asked, event_id=_CONFIGURE))

    def encode(self, command: cmd.LinkCommand) -> list[str]:
        """The texts that carry `command` out, in order; sound is at the wire's rate."""
        match command:
            case cmd.SendAudio():
                return [_text(request.AppendSound(command.samples))] if command.samples else []
            case cmd.SendNoise():
                raise AssertionError("noise reaches the line as SendAudio")
            case cmd.DetectTurns():
                # Said whole each time and obeyed in order, so that none waits for another.
                turns = _session.turns(self._session, on=command.on, interrupts=self.interrupts)
                event: msgspec.Struct = request.UpdateSession(turns, event_id=self._name("detect"))
            case cmd.CommitInput():
                event = request.CommitSound(event_id=self._name("commit"))
            case cmd.ClearInput():
                event = request.ClearSound(event_id=self._name("clear"))
            case cmd.AskReply():
                event = request.CreateResponse(event_id=self._name(_ASK))
            case cmd.CancelReply():
                event = request.CancelResponse(command.reply, event_id=self._name("cancel"))
            case cmd.TruncateReply():
                event = request.TruncateItem(
                    command.item, command.index, command.heard_ms, event_id=self._name("truncate")
                )
            case cmd.DeleteItem():
                event = request.RemoveItem(command.item, event_id=self._name("delete"))
            case cmd.Recall(who, text):
                message = request.Message(who, (_part(who, text),))
                event = request.CreateItem(message, event_id=self._name("recall"))
            case cmd.AnswerTool():
                output = request.FunctionOutput(command.call, command.output)
                event = request.CreateItem(output, event_id=self._name("answer"))
            case _:
                assert_never(command)
        return [_text(event)]

    def _name(self, request: str) -> str:
        self._requests += 1
        return f"edged-{request}-{self._requests}"

    # --- theirs -----------------------------------------------------------------------

    def decode(self, text: str | bytes) -> list[ev.Event]:
        """What one message of the provider's means; nothing for what is unknown or malformed.

        Raises nothing, whatever `text` is. The session is over at a `LinkDown`.
        """
        kind = ""
        try:
            kind = _KIND.decode(text).type
            if kind in wire.IGNORED:
                return []
            decoder = wire.DECODERS.get(kind)
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
                if self._accepted:
                    return []
                self._accepted = True
                return [ev.LinkAccepted(session.id or "", session.model or "")]
            case wire.SessionUpdated():
                # It names no request: the first one answers the configuration, before which
                # nothing else is asked for; later ones need no answer.
                ready, self._configuring = self._configuring, False
                return [ev.LinkReady()] if ready else []
            case wire.Failed(error):
                return [self._failed(_errors.fault(error))]
            case wire.HeardSpeech(item, start_ms):
                return [ev.SpeechStarted(item, round(start_ms))]
            case wire.HeardSilence(item, end_ms):
                return [ev.SpeechStopped(item, round(end_ms))]
            case wire.Committed(item):
                return [ev.UserItemCommitted(item)]
            case wire.Transcribed(item, transcript):
                return [ev.UserText(item, transcript)]
            case wire.NotTranscribed(told):
                error = _errors.fault(told)
                code = error.code or "transcription_failed"
                return [ev.RequestRefused(code, f"not transcribed: {error.words}", benign=True)]
            case wire.ResponseCreated(response):
                return self._began(response)
            case wire.ResponseDone(response):
                return self._finished(response)
            case wire.ItemDone() | wire.SoundDelta() | wire.TranscriptDone():
                return [] if event.response_id in self._asides else self._replied(event)
            case _:
                assert_never(event)

    def _failed(self, error: _errors.Fault) -> ev.Event:
        down = _errors.fatal(error)
        if down is not None:
            return down
        # Until the configuration is confirmed nothing else has been asked for.
        if error.event == _CONFIGURE or (self._configuring and not error.event):
            detail = _errors.brief(f"the session was refused: {error.message}")
            return ev.LinkDown(_errors.trouble(error), error.code or error.kind, detail)
        race = _errors.benign(error)
        message = _errors.brief(error.message)
        if error.event:
            message = f"{message} (to {error.event})"
        code, busy = race or error.code or error.kind, race == _errors.BUSY
        asked = busy or (error.event or "").startswith(f"edged-{_ASK}-")
        return ev.RequestRefused(code, message, bool(race), asked, busy)

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
        return [
            ev.ReplyDone(
                reply,
                status,
                reason if isinstance(reason, str) else "",
                _errors.trouble(error) if status == "failed" else None,
                error.words,
                self._usage(response.usage),
            )
        ]

    def _usage(self, told: msgspec.Raw) -> ev.Usage:
        try:
            spent = _USAGE.decode(told) or wire.Spent()
        except ValueError:
            # The answer counts even where its bill cannot be read.
            _count(self.malformed, "usage")
            return ev.Usage()
        return spent.usage()

    def _replied(
        self, event: wire.ItemDone | wire.SoundDelta | wire.TranscriptDone
    ) -> list[ev.Event]:
        match event:
            case wire.SoundDelta(reply, item, samples, index):
                if len(samples) % 2:
                    _count(self.malformed, "response.output_audio.delta")
                    samples = samples[:-1]
                return [ev.ReplyAudio(reply, item, index, samples)] if samples else []
            case wire.TranscriptDone(reply, item, transcript):
                return [ev.ReplyText(reply, item, transcript)]
            case wire.ItemDone(reply, item):
                return self._called(reply, item)
            case _:
                assert_never(event)

    def _called(self, reply: str, item: wire.ItemShape) -> list[ev.Event]:
        """The call in a complete item; interrupted calls arrive as items too, incomplete."""
        if item.type != "function_call" or item.status != "completed":
            return []
        name, arguments = item.name or "", item.arguments or "{}"
        if not (item.call_id and name and _is_json(arguments)):
            message = f"the call of the tool {name!r} cannot be read"
            return [ev.RequestRefused("malformed_call", _errors.brief(message), benign=False)]
        return [ev.ToolCalled(reply, item.call_id, name, arguments)]


class _Kind(msgspec.Struct, frozen=True):
    type: str


_KIND = msgspec.json.Decoder(_Kind)
_USAGE = msgspec.json.Decoder(wire.Spent | None)


def _text(event: msgspec.Struct) -> str:
    return msgspec.json.encode(event).decode()


def _quoted(text: str) -> str:
    return "".join(
        chr(byte) if chr(byte) in _HARMLESS_IN_URL else f"%{byte:02X}" for byte in text.encode()
    )


def _part(who: str, text: str) -> request.GivenText | request.SaidText:
    return request.SaidText(text) if who == "assistant" else request.GivenText(text)


def _is_json(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (ValueError, RecursionError):
        return False


def _count(counter: Counter[str], kind: str) -> None:
    kind = kind[:80]
    counter[kind if kind in counter or len(counter) < _KINDS_COUNTED else "..."] += 1
