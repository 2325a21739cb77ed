"""The answers of one connection, read from the simulated server's ledger."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..hearing import Samples
from ..provider.ledger import Entry, Visit


@dataclass
class Sent:
    """One answer as it left the server."""

    reply: str
    first_delta: float
    """Seconds since the server started."""
    start: int
    """Where its sound begins in all the connection's answer sound, in bytes."""
    size: int = 0
    """Bytes of sound."""
    transcript: str = ""
    """As far as it was sent."""
    item: str = ""
    truncated_ms: int | None = None
    """What the client said was heard, if it cut it."""

    def samples(self, visit: Visit) -> Samples:
        """Its sound, 16-bit at 24 kHz; `visit` must have kept it."""
        return np.frombuffer(bytes(visit.said[self.start : self.start + self.size]), np.int16)


def answers(entries: Iterable[Entry], session: int) -> list[Sent]:
    """What the connection with this number was answered, in order."""
    sent: list[Sent] = []
    texts: dict[str, str] = {}
    total = 0
    for entry in entries:
        if entry.session != session:
            continue
        told = entry.details
        if entry.type == "response.output_audio.delta" and entry.direction == "out":
            if not sent or sent[-1].reply != told["response_id"]:
                sent.append(Sent(told["response_id"], entry.t, total, item=told["item_id"]))
            sent[-1].size += told["delta"]["bytes"]
            total += told["delta"]["bytes"]
        elif entry.type == "response.output_audio_transcript.delta":
            texts[told["item_id"]] = texts.get(told["item_id"], "") + told["delta"]
        elif entry.type == "conversation.item.truncate" and entry.direction == "in":
            for answer in sent:
                if answer.item == told.get("item_id"):
                    answer.truncated_ms = told.get("audio_end_ms")
    for answer in sent:
        answer.transcript = texts.get(answer.item, "")
    return sent
