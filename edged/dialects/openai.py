"""OpenAI's Realtime protocol in its GA shape: wire text on one side, events and commands here.

Pure: it opens nothing and waits for nothing. A `Dialect` serves one session after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, assert_never

import msgspec

from ..core import commands as cmd
from ..core import events as ev
from ..core.settings import Abilities, Session, ToolSpec
from . import _errors
from . import _requests as request
from . import _session as config
from ._hearing import ASIDE as ASIDE
from ._hearing import ASK, CONFIGURE, LEAST, Hearing
from ._sound import WIRES
from ._way import Way


@dataclass(frozen=True)
class Settings:
    """Where OpenAI is, and how much of a long conversation is kept."""

    url: str = "wss://api.openai.com/v1/realtime"
    """The address of the service; ws:// is accepted for this machine, and for the `plain_hosts`
    of [link.websocket]."""
    organization: str = ""
    """OpenAI's organization to bill; "" for the key's own."""
    project: str = ""
    """OpenAI's project to bill; "" for the key's own."""
    retention_ratio: Annotated[float, "0 to 1"] = 0.8
    """The share of a full context that is kept; below 1 it is cut seldom, which keeps it cached."""
    post_instructions_tokens: Annotated[int, "0 to 100000"] = 8000
    """The context counts as full at this many tokens after the instructions; 0 for the model's
    own limit."""


def open(session: Session, settings: Settings, tools: config.Told = ()) -> "Dialect":
    """The dialect that asks for `session` with these tools; `instructions` are text already."""
    told = {"OpenAI-Organization": settings.organization, "OpenAI-Project": settings.project}
    kept = config.retention(settings.retention_ratio, settings.post_instructions_tokens)
    return Dialect(session, Way(settings.url, told=told), tools, kept)


class Dialect(Hearing):
    """Encodes commands, and decodes events as `Hearing` does."""

    def __init__(
        self,
        session: Session,
        way: Way,
        tools: config.Told,
        kept: config.RetentionRatio | None = None,
    ) -> None:
        """`kept` says how much of a long conversation is; None leaves it to the provider."""
        super().__init__(WIRES[session.audio])
        self.abilities = Abilities()
        """What the provider can do."""
        self.interrupts = True
        """Whether the provider ends an answer by itself when it hears speech; may be changed
        before a session."""
        self.addendum: Callable[[], str] = str
        """What is told after the instructions; asked for anew at each configuration."""
        self.guests: Callable[[], Sequence[ToolSpec]] = tuple
        """Tools that come and go, besides `tools`; asked for anew at each configuration."""
        self._session = session
        self._way = way
        self._lasting = tools
        self._kept = kept
        self._requests = 0
        self._told: tuple[str, config.Told] | None = None
        """What the session knows of all that changes from one to the next."""

    @property
    def wire_rate(self) -> int:
        """Samples per second on the wire, both ways."""
        return self._sound.rate

    @property
    def _tools(self) -> config.Told:
        return (*self._lasting, *self.guests())

    # --- the line ---------------------------------------------------------------------

    def url(self) -> str:
        """Where to connect, model included."""
        return self._way.url(self._session.model)

    def headers(self, key: str) -> dict[str, str]:
        """What to send with the request to connect; no authorization without a key."""
        return self._way.headers(key)

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
        """The text that configures the session.

        After `LinkAccepted` everything, after `SessionLimited` only what nothing works without.
        """
        self._configuring = True
        if self._limited:
            return _text(request.UpdateSession(self._least(), event_id=LEAST))
        return _text(request.UpdateSession(self._whole(), event_id=CONFIGURE))

    def encode(self, command: cmd.LinkCommand) -> list[str]:
        """The texts that carry `command` out, in order; sound is at the wire's rate.

        Nothing comes of what the provider has no ear for.
        """
        return [_text(self._event(command))] if self._can(command) else []

    def _can(self, command: cmd.LinkCommand) -> bool:
        match command:
            case cmd.SendAudio(samples):
                return bool(samples)
            case cmd.CancelReply():
                return self.abilities.cancels
            case cmd.TruncateReply():
                return self.abilities.truncates
            case cmd.DeleteItem():
                return self.abilities.deletes
            case cmd.Recall():
                return self.abilities.recalls
            case cmd.DetectTurns():
                return self.abilities.detects_turns
            case cmd.Brief():
                return self._news() != self._told
            case _:
                return True

    def _event(self, command: cmd.LinkCommand) -> msgspec.Struct:
        match command:
            case cmd.SendAudio(samples):
                return request.AppendSound(self._sound.pack(samples))
            case cmd.SendNoise():
                raise AssertionError("noise reaches the line as SendAudio")
            case cmd.Brief():
                return request.UpdateSession(self._briefed(), event_id=self._name("brief"))
            case cmd.DetectTurns(on):
                # Said whole each time and obeyed in order, so that none waits for another.
                return request.UpdateSession(self._turns(on), event_id=self._name("detect"))
            case cmd.CommitInput():
                return request.CommitSound(event_id=self._name("commit"))
            case cmd.ClearInput():
                return request.ClearSound(event_id=self._name("clear"))
            case cmd.AskReply(words):
                said = request.Message("user", (self._part("user", words),))
                aloud = request.Aloud((said,)) if words else None
                return request.CreateResponse(event_id=self._name(ASK), response=aloud)
            case cmd.CancelReply(reply):
                return request.CancelResponse(reply, event_id=self._name("cancel"))
            case cmd.TruncateReply(item, index, heard_ms):
                name = self._name("truncate")
                return request.TruncateItem(item, index, heard_ms, event_id=name)
            case cmd.DeleteItem(item):
                return request.RemoveItem(item, event_id=self._name("delete"))
            case cmd.Recall(who, text):
                recalled = request.Message(who, (self._part(who, text),))
                return request.CreateItem(recalled, event_id=self._name("recall"))
            case cmd.Approve(asked, allowed):
                name = self._name("approve")
                leave = request.Approval(name, asked, allowed)
                return request.CreateItem(leave, previous_item_id=asked, event_id=name)
            case cmd.AnswerTool(call, output):
                answer = request.FunctionOutput(call, output)
                return request.CreateItem(answer, event_id=self._name("answer"))
            case _:
                assert_never(command)

    def _name(self, what: str) -> str:
        self._requests += 1
        return f"edged-{what}-{self._requests}"

    # --- the shapes in which others differ ---------------------------------------------

    def _whole(self) -> msgspec.Struct:
        found = config.turn_detection(self._session, self.interrupts)
        return config.config(self._asked(), self._tools, self._sound.format, self._kept, found)

    def _least(self) -> msgspec.Struct:
        return config.least(self._asked(), self._tools, self._sound.format, self._plain_vad())

    def _turns(self, on: bool) -> msgspec.Struct:
        return config.turns(self._found() if on else None)

    def _briefed(self) -> msgspec.Struct:
        told = config.functions if self._limited else config.everything
        return config.BriefConfig(self._asked().instructions, told(self._tools))

    def _news(self) -> tuple[str, config.Told]:
        return self.addendum(), tuple(self._tools)

    def _asked(self) -> Session:
        self._told = self._news()
        told = (self._session.instructions, self._told[0])
        return replace(self._session, instructions="\n\n".join(part for part in told if part))

    def _found(self) -> config.TurnDetection:
        # What was refused once is not asked for again.
        if self._limited:
            return self._plain_vad()
        return config.turn_detection(self._session, self.interrupts)

    def _plain_vad(self) -> config.PlainVad:
        return config.PlainVad(create_response=True, interrupt_response=self.interrupts)

    def _part(self, who: str, text: str) -> request.Part:
        return request.SaidText(text) if who == "assistant" else request.GivenText(text)


def _text(event: msgspec.Struct) -> str:
    return msgspec.json.encode(event).decode()
