"""One simulated session: takes the client's events and tells the server's."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed

from . import configuration, usage, validation
from .answering import Desk, Response
from .companding import WireFormat
from .conversation import Item, decoded, new_id
from .detection import Scorer, Started, Stopped
from .faults import MALFORMED
from .line import Connection, Line
from .listening import InputBuffer
from .shapes import Refusal

_EXPIRED = "Your session hit the maximum duration of 60 minutes."


class Session:
    """A session on an accepted and authenticated connection."""

    def __init__(self, connection: Connection, model: str, score: Scorer) -> None:
        self._connection = connection
        self._house = connection.house
        self._visit = connection.visit
        self._line = Line(connection)
        self._desk = Desk(self._house, self._line, configuration.default(model))
        self._id = new_id("sess")
        self._expires_at = int(time.time() + self._house.options.session_s)
        self._score = score
        self._buffer = self._new_buffer()
        self._turn_id = ""
        self._active: Response | None = None
        self._aside: list[Response] = []
        self._running: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._obey: Mapping[str, Callable[[dict[str, Any]], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.truncate": self._truncate,
            "conversation.item.delete": self._delete,
            "conversation.item.retrieve": self._retrieve,
            "response.create": self._create_response,
            "response.cancel": self._cancel,
        }

    async def run(self) -> None:
        """Converse until the connection is gone."""
        async with asyncio.TaskGroup() as self._group:
            self._spawn(self._line.write())
            self._spawn(self._expire())
            await self._house.nap(self._line.faults.created_delay_s)
            self._line.emit("session.created", session=self._snapshot())
            self._house.sessions.append(self)
            try:
                with contextlib.suppress(ConnectionClosed):
                    async for message in self._connection:
                        await self._take(message)
            finally:
                self._house.sessions.remove(self)
                for task in self._running:
                    task.cancel()

    async def _take(self, message: str | bytes) -> None:
        try:
            event = self._house.accent.read(message)
        except Refusal as refusal:
            self._house.ledger.received(self._visit, {"type": "refused", "size": len(message)})
            self._line.refuse(refusal, validation.event_id(message))
            return
        self._house.ledger.received(self._visit, event)
        if self._line.breaks(event["type"]):
            return
        if event["type"] == "session.update":
            await self._house.nap(self._line.faults.updated_delay_s)
        try:
            self._obey[event["type"]](event)
        except Refusal as refusal:
            self._line.refuse(refusal, event.get("event_id"))

    async def _expire(self) -> None:
        await asyncio.sleep(self._house.options.session_s)
        self._line.error("invalid_request_error", "session_expired", _EXPIRED)
        await self._line.flush()
        await self._line.close(1001, _EXPIRED)

    # The session

    def _update(self, event: dict[str, Any]) -> None:
        voice = "session.audio.output.voice"
        if self._line.faults.modest and "voice" in event["session"].get("audio", {}).get(
            "output", {}
        ):
            raise Refusal("unknown_parameter", f"Unknown parameter: '{voice}'.", voice)
        before = self._desk.config["audio"]["input"]
        self._desk.config = configuration.updated(
            self._desk.config, event["session"], self._desk.voice_heard
        )
        after = self._desk.config["audio"]["input"]
        if after["format"] != before["format"]:
            self._buffer = self._new_buffer()
        else:
            self._buffer.configure(after["turn_detection"])
        self._line.emit("session.updated", session=self._snapshot())
        if self._line.faults.unknown:
            self._line.emit("rocket.launched", altitude_m=42)
        if self._line.faults.malformed:
            for frame in MALFORMED:
                self._line.emit_raw(frame)

    def _snapshot(self) -> dict[str, Any]:
        head = {"id": self._id, "object": "realtime.session", "expires_at": self._expires_at}
        return {**head, **self._desk.config}

    def _new_buffer(self) -> InputBuffer:
        turns = self._desk.config["audio"]["input"]["turn_detection"]
        return InputBuffer(self._input_format, turns, self._score)

    @property
    def _input_format(self) -> WireFormat:
        return WireFormat(self._desk.config["audio"]["input"]["format"])

    # The input audio buffer

    def _append(self, event: dict[str, Any]) -> None:
        sound = decoded(event["audio"], self._input_format, "audio")
        if len(sound) > validation.LONGEST_APPEND:
            raise Refusal("invalid_value", "Invalid 'audio': more than 15 MiB.", "audio")
        self._house.ledger.heard(self._visit, sound)
        for happened in self._buffer.append(sound):
            self._turn_moves(happened)

    def pretend(self, *, speech: bool) -> str:
        """Hear an onset or an end of speech that is not there; the turn's item."""
        happened = self._buffer.pretend(speech=speech)
        if happened:
            self._turn_moves(happened)
        return self._turn_id

    def _turn_moves(self, happened: Started | Stopped) -> None:
        if isinstance(happened, Started):
            self._turn_begins(happened)
        else:
            self._turn_ends(happened)

    def _turn_begins(self, started: Started) -> None:
        self._turn_id = new_id("item")
        self._line.emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=started.at_ms,
            item_id=self._turn_id,
        )
        turns = self._desk.config["audio"]["input"]["turn_detection"]
        if turns["interrupt_response"] and self._active:
            self._active.cancel("turn_detected")

    def _turn_ends(self, stopped: Stopped) -> None:
        self._line.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=stopped.at_ms, item_id=self._turn_id
        )
        self._commit_sound(self._buffer.take_turn(stopped.at_ms), self._turn_id)
        turns = self._desk.config["audio"]["input"]["turn_detection"]
        if not turns["create_response"]:
            return
        if not self._busy():
            self._begin(Response(self._desk, {}))
        elif turns["interrupt_response"]:
            self._spawn(self._answer_after(self._active))

    async def _answer_after(self, interrupted: Response | None) -> None:
        if interrupted:
            await interrupted.finished.wait()
        if not self._busy():
            self._begin(Response(self._desk, {}))

    def _commit(self, event: dict[str, Any]) -> None:
        self._commit_sound(self._buffer.commit(), new_id("item"))

    def _clear(self, event: dict[str, Any]) -> None:
        self._buffer.clear()
        self._line.emit("input_audio_buffer.cleared")

    def _commit_sound(self, sound: bytes, item_id: str) -> None:
        form = self._input_format
        body = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        seconds = form.ms_of(len(sound)) / 1000
        item = Item(body, form, bytearray(sound), self._house.script.hear(seconds))
        before = self._desk.conversation.last_id()
        self._desk.conversation.items.append(item)
        self._line.emit("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        for step in ("added", "done"):
            self._line.emit(f"conversation.item.{step}", previous_item_id=before, item=dict(body))
        transcription = self._desk.config["audio"]["input"]["transcription"]
        if transcription:
            self._spawn(self._transcribe(item, transcription.get("model", "whisper-1")))

    async def _transcribe(self, item: Item, model: str) -> None:
        await asyncio.sleep(self._house.options.transcription_s)
        kind = "conversation.item.input_audio_transcription"
        self._line.emit(f"{kind}.delta", item_id=item.id, content_index=0, delta=item.hint)
        bill = usage.transcription(model, item.ms / 1000, item.hint)
        item.body["content"] = [{"type": "input_audio", "transcript": item.hint}]
        self._line.emit(
            f"{kind}.completed",
            item_id=item.id,
            content_index=0,
            transcript=item.hint,
            usage=bill,
        )

    # The conversation

    def _create_item(self, event: dict[str, Any]) -> None:
        body = event["item"]
        before = self._desk.conversation.create(
            body, event.get("previous_item_id"), self._input_format
        )
        for step in ("added", "done"):
            self._line.emit(f"conversation.item.{step}", previous_item_id=before, item=dict(body))

    def _truncate(self, event: dict[str, Any]) -> None:
        told = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
        self._desk.conversation.truncate(event["item_id"], event["audio_end_ms"])
        self._line.emit("conversation.item.truncated", **told)

    def _delete(self, event: dict[str, Any]) -> None:
        self._desk.conversation.delete(event["item_id"])
        self._line.emit("conversation.item.deleted", item_id=event["item_id"])

    def _retrieve(self, event: dict[str, Any]) -> None:
        item = self._desk.conversation.retrieve(event["item_id"])
        self._line.emit("conversation.item.retrieved", item=item)

    # Answers

    def _create_response(self, event: dict[str, Any]) -> None:
        asked = event.get("response", {})
        if self._desk.voice_heard and "voice" in asked.get("audio", {}).get("output", {}):
            raise configuration.voice_refusal("response.audio.output.voice")
        response = Response(self._desk, asked)
        if response.in_conversation and self._active and self._busy():
            raise Refusal(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress: "
                f"{self._active.id}. Wait until the response is finished before creating a new "
                "one.",
            )
        self._begin(response)

    def _begin(self, response: Response) -> None:
        if response.in_conversation:
            self._active = response
        else:
            self._aside = [one for one in self._aside if not one.finished.is_set()] + [response]
        self._spawn(self._converse(response))

    async def _converse(self, response: Response) -> None:
        """Give the answer; ask for more when the user stays silent after it, where configured."""
        await response.run()
        turns = self._desk.config["audio"]["input"]["turn_detection"]
        idle_ms = turns.get("idle_timeout_ms") if turns else None
        if idle_ms is None or not response.in_conversation:
            return
        heard, last = self._buffer.now_ms, self._desk.conversation.last_id()
        await asyncio.sleep((response.sound_ms + idle_ms) / 1000)
        if self._buffer.speaking or self._desk.conversation.last_id() != last or self._busy():
            return
        self._turn_id = new_id("item")
        self._line.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=heard,
            audio_end_ms=self._buffer.now_ms,
            item_id=self._turn_id,
        )
        self._commit_sound(b"", self._turn_id)
        self._begin(Response(self._desk, {}))

    def _busy(self) -> bool:
        return self._active is not None and not self._active.finished.is_set()

    def _cancel(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        known = [*([self._active] if self._active else []), *self._aside]
        for response in known:
            named = response.id == wanted if wanted else response is self._active
            if named and not response.finished.is_set():
                response.cancel("client_cancelled")
                return
        raise Refusal("response_cancel_not_active", "Cancellation failed: no active response found")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        task = self._group.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
