"""One answer of the simulated provider, from `response.created` to `response.done`."""

import asyncio
import base64
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import output
from .companding import WireFormat, resample
from .conversation import Conversation, Item, decoded, new_id, tokens
from .house import House
from .line import Line
from .output import Output
from .script import Answer, Call, Items, Part
from .shapes import Refusal
from .usage import ASSISTANT_TOKEN_MS, Tokens, audio_tokens, preamble, text_tokens, usage
from .voice import RATE, Speech

_QUOTA = {
    "type": "insufficient_quota",
    "code": "insufficient_quota",
    "message": "You exceeded your current quota, please check your plan and billing details.",
}
_BUSY = {
    "type": "server_error",
    "code": "inference_rate_limit_exceeded",
    "message": "The model is overloaded, please try again later.",
}


@dataclass
class Desk:
    """What one session works with."""

    house: House
    line: Line
    config: dict[str, Any]
    conversation: Conversation = field(default_factory=Conversation)
    billed: list[Tokens] = field(default_factory=list)
    """The input of the last answer, which is cached."""
    voice_heard: bool = False
    """Whether the voice was heard and cannot be changed any more."""


class Response:
    """An answer; `asked` is the `response` of a `response.create`, or empty."""

    def __init__(self, desk: Desk, asked: Mapping[str, Any]) -> None:
        """Raises `Refusal` when `asked` refers to what is not there."""
        self.id = new_id("resp")
        self.in_conversation = asked.get("conversation") != "none"
        self.finished = asyncio.Event()
        self._desk = desk
        self._line = desk.line
        self._asked = asked
        config = desk.config
        audio = {**config["audio"]["output"], **asked.get("audio", {}).get("output", {})}
        self._audio = {"format": audio["format"], "voice": audio["voice"]}
        self._speed: float = audio["speed"]
        self._format = WireFormat(audio["format"])
        self._settings = {**config, **asked}
        self._input = self._gather()
        self._stop = asyncio.Event()
        self._reason: str | None = None
        self._error: Mapping[str, Any] | None = None
        self._output = Output(
            self.id, self._line, desk.conversation if self.in_conversation else None
        )
        self._unended: list[tuple[Item, str, str]] = []
        self._began = 0.0
        self._chunks = 0

    @property
    def sound_ms(self) -> float:
        """How long the sound of it lasts."""
        return self._output.sound_ms

    def cancel(self, reason: str) -> None:
        """Stop soon: `turn_detected` or `client_cancelled`; the first reason counts."""
        if not self._stop.is_set():
            self._reason = reason
            self._stop.set()

    async def run(self) -> None:
        """Give the answer."""
        faults = self._line.faults
        if faults.unknown:
            self._line.emit("response.rocket.launched", response_id=self.id, altitude_m=42)
        self._line.emit("response.created", response=self._resource("in_progress"))
        self._line.emit("rate_limits.updated", rate_limits=_rate_limits())
        if faults.quota or faults.busy:
            status, self._error = "failed", _QUOTA if faults.quota else _BUSY
        elif faults.mute or not await self._pause(self._desk.house.options.think_s):
            await self._stop.wait()
            status = "cancelled"
        else:
            status = await self._give(self._choose())
        self.finished.set()
        self._line.emit("response.done", response=self._resource(status))

    def _choose(self) -> Answer:
        if not self.in_conversation:
            return f"This conversation has {len(self._input)} items."
        tools = [tool["name"] for tool in self._settings["tools"] if tool["type"] == "function"]
        question = self._input[-1] if self._input else None
        choice = self._settings["tool_choice"]
        forced = tools[:1] if choice == "required" else []
        if isinstance(choice, dict):
            forced = [name for name in tools if name == choice.get("name")]
        if forced and not (question and question.body["type"] == "function_call_output"):
            return Call(forced[0])
        return self._desk.house.script.answer(question, () if choice == "none" else tools)

    async def _give(self, answer: Answer) -> str:
        """The parts one after another, until one does not end well; how the last one ended."""
        parts = answer.parts if isinstance(answer, Items) else [answer]
        if self._settings["output_modalities"] == ["audio"]:
            voice = self._desk.house.voice
            parts = [
                await voice.say(part, self._speed) if isinstance(part, str) else part
                for part in parts
            ]
        self._began = asyncio.get_running_loop().time()
        status = "completed"
        for part in parts:
            status = await self._part(part)
            if status != "completed":
                break
        self._end_sound()
        return status

    async def _part(self, part: Part) -> str:
        if isinstance(part, Call):
            return self._call(part)
        if isinstance(part, str):
            return await self._write(part)
        if self._settings["output_modalities"] == ["text"]:
            return await self._write(part.transcript)
        return await self._speak(part)

    def _call(self, call: Call) -> str:
        self._end_sound()
        item = self._output.begin(output.call(call.name), self._format)
        where = {**self._output.where(item), "call_id": item.body["call_id"]}
        half = len(call.arguments) // 2
        for piece in (call.arguments[:half], call.arguments[half:]):
            if piece:
                self._line.emit("response.function_call_arguments.delta", delta=piece, **where)
        self._line.emit(
            "response.function_call_arguments.done",
            name=call.name,
            arguments=call.arguments,
            **where,
        )
        item.body["arguments"] = call.arguments
        self._output.spend(text_tokens(call.name + call.arguments))
        self._output.end(item, "completed")
        return "completed"

    async def _write(self, text: str) -> str:
        item = self._output.begin(output.message(), self._format)
        where = {**self._output.where(item), "content_index": 0}
        self._line.emit("response.content_part.added", part={"type": "text", "text": ""}, **where)
        words, written, status = text.split(" "), "", "completed"
        for index, word in enumerate(words):
            piece = word if index == 0 else f" {word}"
            if self._exceeds(text_tokens(written + piece)):
                status = self._overflow()
                break
            written += piece
            self._line.emit("response.output_text.delta", delta=piece, **where)
            if not await self._pause(0):
                status = "cancelled"
                break
        self._line.emit("response.output_text.done", text=written, **where)
        part_done = {"type": "text", "text": written}
        self._line.emit("response.content_part.done", part=part_done, **where)
        item.body["content"] = [{"type": "output_text", "text": written}]
        self._output.spend(text_tokens(written))
        self._output.end(item, "completed" if status == "completed" else "incomplete")
        return status

    async def _speak(self, speech: Speech) -> str:
        item = self._output.begin(output.message(), self._format)
        where = {**self._output.where(item), "content_index": 0}
        part = {"type": "audio", "transcript": ""}
        self._line.emit("response.content_part.added", part=part, **where)
        before = self._output.sound_ms
        said, status = await self._stream(item, speech, where)
        spoken = audio_tokens(self._output.sound_ms - before, ASSISTANT_TOKEN_MS)
        self._output.spend(text_tokens(said), spoken)
        self._unended.append((item, said, "completed" if status == "completed" else "incomplete"))
        return status

    def _end_sound(self) -> None:
        """Tell the end of the items whose sound is all out.

        Late, as the real server was seen to do: after the next item's sound has begun.
        """
        for item, said, status in self._unended:
            where = {**self._output.where(item), "content_index": 0}
            self._line.emit("response.output_audio.done", **where)
            self._line.emit("response.output_audio_transcript.done", transcript=said, **where)
            part = {"type": "audio", "transcript": said}
            self._line.emit("response.content_part.done", part=part, **where)
            item.body["content"] = [{"type": "output_audio", "transcript": said}]
            self._output.end(item, status)
            if item.truncated:
                item.body["content"] = [{"type": "output_audio"}]
        self._unended.clear()

    async def _stream(
        self, item: Item, speech: Speech, where: Mapping[str, Any]
    ) -> tuple[str, str]:
        """The sound and its words; what was said, and how it ended."""
        sound = self._format.encode(resample(speech.samples, RATE, self._format.rate))
        size = self._format.bytes_of(self._desk.house.options.chunk_ms)
        starts = range(0, len(sound), size)
        words = _spread(speech.transcript, len(starts))
        said, sent = "", 0
        for index, start in enumerate(starts):
            if not await self._pause(self._due() - asyncio.get_running_loop().time()):
                return said, "cancelled"
            ms = self._format.ms_of(sent + size)
            told = said + words[index]
            if self._exceeds(text_tokens(told) + audio_tokens(ms, ASSISTANT_TOKEN_MS)):
                return said, self._overflow()
            if words[index]:
                delta = words[index]
                self._line.emit("response.output_audio_transcript.delta", delta=delta, **where)
            said = told
            chunk = sound[start : start + size]
            sent += len(chunk)
            await self._send(item, chunk, where)
        return said, "completed"

    async def _send(self, item: Item, chunk: bytes, where: Mapping[str, Any]) -> None:
        # What the client has cut off does not grow again.
        if not item.truncated:
            item.audio += chunk
        self._output.sound_ms += self._format.ms_of(len(chunk))
        self._chunks += 1
        self._desk.voice_heard = True
        delta = base64.b64encode(chunk).decode()
        self._line.emit("response.output_audio.delta", delta=delta, **where)
        self._end_sound()
        limit = self._line.faults.drop_after_ms
        if limit is not None and self._output.sound_ms >= limit:
            await self._line.flush()
            self._line.abort()
            await self._stop.wait()

    def _due(self) -> float:
        """When the next chunk leaves, by the loop's clock."""
        options = self._desk.house.options
        late = self._desk.house.random.uniform(0, options.jitter_s)
        paced = self._chunks * options.chunk_ms / 1000 / options.pace if options.pace else 0.0
        return self._began + paced + late

    async def _pause(self, seconds: float) -> bool:
        """Wait, unless the answer is cancelled before; whether it goes on."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stop.wait()
        except TimeoutError:
            return True
        return False

    def _exceeds(self, tokens: int) -> bool:
        """Whether the answer is too long with so many more tokens."""
        spent = self._output.spent
        return spent.text + spent.audio + tokens > float(self._settings["max_output_tokens"])

    def _overflow(self) -> str:
        self._reason = "max_output_tokens"
        return "incomplete"

    def _gather(self) -> list[Item]:
        """The items that the model is given."""
        conversation = self._desk.conversation
        if "input" not in self._asked:
            return list(conversation.items)
        items = []
        for index, body in enumerate(self._asked["input"]):
            at = f"response.input[{index}]"
            if body["type"] == "item_reference":
                known = conversation.find(body["id"])
                if known is None:
                    raise Refusal("invalid_value", f"Item '{body['id']}' not found.", f"{at}.id")
                items.append(known)
                continue
            form = WireFormat(self._desk.config["audio"]["input"]["format"])
            item = Item({"id": new_id("item"), **body}, form)
            for part in item.body.get("content", []):
                if "audio" in part:
                    item.audio += decoded(part["audio"], form, f"{at}.content.audio")
            items.append(item)
        return items

    def _resource(self, status: str) -> dict[str, Any]:
        done = status != "in_progress"
        details: dict[str, Any] | None = None
        if done and status != "completed":
            details = {"type": status}
            details.update({"error": self._error} if self._error else {"reason": self._reason})
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": [dict(body) for body in self._output.bodies],
            "conversation_id": self._desk.conversation.id if self.in_conversation else None,
            "output_modalities": self._settings["output_modalities"],
            "max_output_tokens": self._settings["max_output_tokens"],
            "audio": {"output": self._audio},
            "usage": self._usage(status) if done else None,
            "metadata": self._asked.get("metadata"),
        }

    def _usage(self, status: str) -> dict[str, Any]:
        if status == "failed":
            return usage([], [], Tokens("output"))
        given = [preamble(self._settings["instructions"], self._settings["tools"])]
        given += tokens(self._input)
        bill = usage(self._desk.billed, given, self._output.spent)
        if self.in_conversation:
            self._desk.billed = given
        return bill


def _rate_limits() -> list[dict[str, Any]]:
    return [
        {"name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 0.06},
        {"name": "tokens", "limit": 40_000, "remaining": 38_000, "reset_seconds": 3.0},
    ]


def _spread(text: str, chunks: int) -> list[str]:
    """The words of `text` over the chunks of its sound, ahead of it as the real ones are."""
    words = [word if index == 0 else f" {word}" for index, word in enumerate(text.split(" "))]
    each = max(1, -(-len(words) * 3 // max(1, 2 * chunks)))
    lots = iter(words)
    parts = ["".join(itertools.islice(lots, each)) for _ in range(chunks)]
    if parts:
        parts[-1] += "".join(lots)
    return parts
