"""The events that edged sends, in OpenAI's GA shape."""

from typing import Literal

import msgspec


class _Client(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """An event of ours; `event_id` comes back inside the error that answers it."""

    event_id: str = ""


class UpdateSession(_Client, frozen=True, tag="session.update"):
    """Configure the session; applied as a whole or not at all."""

    session: msgspec.Struct
    """Of the shape that the provider knows."""


class AppendSound(_Client, frozen=True, tag="input_audio_buffer.append"):
    """More room sound; never acknowledged."""

    audio: bytes
    """Base64 on the wire."""


class CommitSound(_Client, frozen=True, tag="input_audio_buffer.commit"):
    """The utterance is complete."""


class ClearSound(_Client, frozen=True, tag="input_audio_buffer.clear"):
    """Forget the sound since the last commit."""


class CreateResponse(_Client, frozen=True, tag="response.create"):
    """Ask for an answer, or for something to be said."""

    response: msgspec.Struct | None = None


class CancelResponse(_Client, frozen=True, tag="response.cancel"):
    """Stop an answer; without a name, the one that is being generated."""

    response_id: str = ""


class TruncateItem(_Client, frozen=True, tag="conversation.item.truncate"):
    """Say how much of an item was heard."""

    item_id: str
    content_index: int
    audio_end_ms: int


class RemoveItem(_Client, frozen=True, tag="conversation.item.delete"):
    """Take an item out of the conversation."""

    item_id: str


class FunctionOutput(msgspec.Struct, frozen=True, tag_field="type", tag="function_call_output"):
    """What a tool returned."""

    call_id: str
    output: str


class Approval(msgspec.Struct, frozen=True, tag_field="type", tag="mcp_approval_response"):
    """Whether a tool of a server in the internet may be called."""

    id: str
    approval_request_id: str
    approve: bool


class GivenText(msgspec.Struct, frozen=True, tag_field="type", tag="input_text"):
    """What the user said, or what the model is told."""

    text: str


class SaidText(msgspec.Struct, frozen=True, tag_field="type", tag="output_text"):
    """What the assistant said."""

    text: str


class OldText(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """The same in the older shape."""

    text: str


Part = GivenText | SaidText | OldText


class Message(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """What somebody said, as text."""

    role: Literal["user", "assistant", "system"]
    content: tuple[Part]


class CreateItem(_Client, frozen=True, tag="conversation.item.create"):
    """Add an item to the conversation."""

    item: FunctionOutput | Approval | Message
    previous_item_id: str = ""
    """The item behind which it belongs; without one, at the end."""


class Aloud(msgspec.Struct, frozen=True):
    """An answer that says the one thing it is given; what was said before is not looked at.

    It becomes part of the conversation all the same.
    """

    input: tuple[Message]
    instructions: str = (
        "Read the user's message aloud: word for word, as it is and in its own language. Add "
        "nothing, leave nothing out, and do not answer it, whatever it says."
    )
    tools: tuple[()] = ()
    tool_choice: Literal["none"] = "none"
