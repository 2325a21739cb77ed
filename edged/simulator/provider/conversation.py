"""The conversation as the simulated server keeps it: items in order, with their sound."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .companding import WireFormat
from .shapes import Refusal
from .usage import ASSISTANT_TOKEN_MS, USER_TOKEN_MS, Tokens, audio_tokens, text_tokens


def new_id(kind: str) -> str:
    """A fresh identity such as `item_3f…`."""
    return f"{kind}_{secrets.token_hex(10)}"


@dataclass
class Item:
    """One item; `body` is as it travels, without sound."""

    body: dict[str, Any]
    format: WireFormat
    audio: bytearray = field(default_factory=bytearray)
    """Sound of its only audio part, as on the wire."""
    hint: str = ""
    """What was said in it, as far as the simulator can know."""
    truncated: bool = False
    """Whether the client cut it: its words are not known any more."""

    @property
    def id(self) -> str:
        """The item's identity."""
        return str(self.body["id"])

    @property
    def ms(self) -> float:
        """How long its sound lasts."""
        return self.format.ms_of(len(self.audio))

    @property
    def text(self) -> str:
        """Everything in it that is text."""
        told = [self.body.get(name) or "" for name in ("name", "arguments", "output")]
        for part in self.body.get("content", []):
            told += [part.get("text") or "", part.get("transcript") or ""]
        return " ".join(word for word in told if word)

    def tokens(self) -> Tokens:
        """What it costs as input."""
        mine = self.body.get("role") == "assistant"
        token_ms = ASSISTANT_TOKEN_MS if mine else USER_TOKEN_MS
        # The model hears the user; it does not read a transcription of what it hears.
        written = text_tokens("" if self.audio and not mine else self.text)
        spoken = audio_tokens(self.ms, token_ms)
        return Tokens(f"{self.id}:{written}:{spoken}", written, spoken)

    def whole(self) -> dict[str, Any]:
        """The body with the sound in it, as `conversation.item.retrieved` has it."""
        content = []
        for part in self.body.get("content", []):
            sound = {"audio": base64.b64encode(self.audio).decode()}
            content.append({**part, **sound} if part["type"].endswith("_audio") else part)
        return {**self.body, "content": content} if content else self.body


class Conversation:
    """Items in order."""

    def __init__(self) -> None:
        self.id = new_id("conv")
        self.items: list[Item] = []

    def last_id(self) -> str | None:
        """The item after which a new one stands."""
        return self.items[-1].id if self.items else None

    def find(self, item_id: str) -> Item | None:
        """The item of that identity, if there is one."""
        return next((item for item in self.items if item.id == item_id), None)

    def before(self, item: Item) -> str | None:
        """The identity of the predecessor of an item that is there."""
        place = next(index for index, one in enumerate(self.items) if one is item)
        return self.items[place - 1].id if place else None

    def create(self, body: dict[str, Any], after: str | None, form: WireFormat) -> str | None:
        """Put in the client's item, at the end or after `after` ("root" is before all).

        Gives it what it lacks, and returns the identity of its predecessor.
        """
        body.setdefault("id", new_id("item"))
        body.update({"object": "realtime.item", "status": "completed"})
        if self.find(body["id"]):
            raise Refusal("invalid_value", f"Item '{body['id']}' already exists.", "item.id")
        self._check_call(body)
        place = self._place(after)
        self.items.insert(place, Item(body, form, _take_sound(body, form)))
        return self.items[place - 1].id if place else None

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an assistant's sound and forget its words."""
        item = self._existing(item_id, "truncate")
        mine = item.body.get("role") == "assistant"
        if not mine or not item.audio:
            raise Refusal(
                "unsupported_content_type", "Only model output audio messages can be truncated."
            )
        if audio_end_ms > item.ms:
            raise Refusal(
                "invalid_value",
                f"Audio content of {int(item.ms)}ms is already shorter than {audio_end_ms}ms",
                "audio_end_ms",
            )
        item.truncated = True
        del item.audio[item.format.bytes_of(audio_end_ms) :]
        for part in item.body["content"]:
            part.pop("transcript", None)

    def delete(self, item_id: str) -> None:
        """Forget an item."""
        self.items.remove(self._existing(item_id, "delete"))

    def retrieve(self, item_id: str) -> dict[str, Any]:
        """An item with its sound."""
        return self._existing(item_id, "retrieve").whole()

    def _existing(self, item_id: str, verb: str) -> Item:
        item = self.find(item_id)
        if item is None:
            raise Refusal(
                f"item_{verb}_invalid_item_id",
                f"Item with item_id '{item_id}' not found.",
                "item_id",
            )
        return item

    def _place(self, after: str | None) -> int:
        if after is None:
            return len(self.items)
        if after == "root":
            return 0
        for index, item in enumerate(self.items):
            if item.id == after:
                return index + 1
        raise Refusal(
            "invalid_value", f"Item with item_id '{after}' not found.", "previous_item_id"
        )

    def _check_call(self, body: dict[str, Any]) -> None:
        if body["type"] == "function_call":
            body.setdefault("call_id", new_id("call"))
        if body["type"] == "function_call_output" and not any(
            item.body.get("call_id") == body["call_id"] and item.body["type"] == "function_call"
            for item in self.items
        ):
            raise Refusal(
                "invalid_value", f"Tool call ID '{body['call_id']}' not found.", "item.call_id"
            )


def tokens(items: Sequence[Item]) -> list[Tokens]:
    """What the items cost as input."""
    return [item.tokens() for item in items]


def _take_sound(body: dict[str, Any], form: WireFormat) -> bytearray:
    sound = bytearray()
    for index, part in enumerate(body.get("content", [])):
        if "audio" in part:
            sound += decoded(part.pop("audio"), form, f"item.content[{index}].audio")
    return sound


def decoded(audio: str, form: WireFormat, param: str) -> bytes:
    """Sound out of base64; raises `Refusal` when it is none, or not whole samples."""
    try:
        sound = base64.b64decode(audio, validate=True)
    except ValueError:
        sound = b""
    if len(sound) % form.width or not sound:
        raise Refusal(
            "invalid_value",
            f"Invalid '{param}'. Expected base64-encoded audio bytes ({form.name}) "
            "but got an invalid value.",
            param,
        )
    return sound
