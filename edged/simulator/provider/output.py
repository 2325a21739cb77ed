"""The items of one simulated answer: how they are told, and what they cost."""

from typing import Any

from .companding import WireFormat
from .conversation import Conversation, Item, new_id
from .line import Line
from .usage import Tokens


class Output:
    """What an answer has produced so far, in the order in which it was begun."""

    def __init__(self, response_id: str, line: Line, conversation: Conversation | None) -> None:
        """Items join the `conversation` as they begin; None keeps them out of any."""
        self._response_id = response_id
        self._line = line
        self._conversation = conversation
        self.bodies: list[dict[str, Any]] = []
        """The items as they travel, without sound."""
        self.spent = Tokens("output")
        self.sound_ms = 0.0
        """How long the sound of it all lasts."""

    def begin(self, body: dict[str, Any], form: WireFormat) -> Item:
        """A new item, in progress."""
        item = Item(body, form)
        self.bodies.append(body)
        index = len(self.bodies) - 1
        self._tell("added", index, dict(body))
        if self._conversation:
            before = self._conversation.last_id()
            self._conversation.items.append(item)
            self._line.emit("conversation.item.added", previous_item_id=before, item=dict(body))
        return item

    def end(self, item: Item, status: str) -> None:
        """The item is `completed` or `incomplete`; one that was deleted meanwhile stays away."""
        item.body["status"] = status
        told = dict(item.body)
        self._tell("done", self._index(item), told)
        if self._conversation and self._conversation.find(item.id):
            before = self._conversation.before(item)
            self._line.emit("conversation.item.done", previous_item_id=before, item=told)

    def where(self, item: Item) -> dict[str, Any]:
        """What every event about an item names."""
        index = self._index(item)
        return {"response_id": self._response_id, "item_id": item.id, "output_index": index}

    def spend(self, text: int, audio: int = 0) -> None:
        """An item cost so many tokens."""
        self.spent = Tokens("output", self.spent.text + text, self.spent.audio + audio)

    def _index(self, item: Item) -> int:
        return next(index for index, body in enumerate(self.bodies) if body is item.body)

    def _tell(self, step: str, index: int, body: dict[str, Any]) -> None:
        self._line.emit(
            f"response.output_item.{step}",
            response_id=self._response_id,
            output_index=index,
            item=body,
        )


def message() -> dict[str, Any]:
    """An assistant's message without anything in it."""
    return {**_body("message"), "role": "assistant", "content": []}


def call(name: str) -> dict[str, Any]:
    """A call without its arguments."""
    return {
        **_body("function_call"),
        "name": name,
        "call_id": new_id("call"),
        "arguments": "",
    }


def _body(kind: str) -> dict[str, Any]:
    return {
        "id": new_id("item"),
        "object": "realtime.item",
        "type": kind,
        "status": "in_progress",
    }
