"""An engine that rests while the room is quiet."""

import asyncio
from collections.abc import Mapping
from threading import Semaphore

import numpy as np
import pytest

from edged.core.events import WakeHeard
from edged.wake import openwakeword
from edged.wake._detector import RATE, Word
from edged.wake._gate import Gate
from edged.wake._worker import Worker
from edged.wake.openwakeword import FRAME, Settings

from .listening import listen
from .speech import pieces, silence, speech


class Engine:
    """Gives each frame the score that its first sample says, and remembers what it heard."""

    frame = FRAME

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1

    def scores(self, samples: bytes) -> Mapping[str, float]:
        self.heard.append(samples)
        return {"hey": int.from_bytes(samples[:2], "little", signed=True) / 32768}


def room(frames: int, dbfs: float, seed: int = 5) -> list[bytes]:
    """Frames of noise."""
    amplitude = 32768 * 10 ** (dbfs / 20)
    noise = np.random.default_rng(seed).normal(0, amplitude, frames * FRAME)
    return list(pieces(noise.astype("<i2").tobytes(), FRAME))


def run(gate: Gate, frames: list[bytes]) -> list[float]:
    return [gate.scores(frame)["hey"] for frame in frames]


def test_a_quiet_room_costs_nothing() -> None:
    engine = Engine()
    gate = Gate(engine, {"hey": Word()})
    assert run(gate, room(200, -60)) == [0.0] * 200
    assert engine.heard == []


def test_a_sound_is_heard_with_what_came_before_it_a_few_frames_at_a_time() -> None:
    engine = Engine()
    gate = Gate(engine, {"hey": Word()})
    quiet, voice = room(40, -60), room(10, -30, seed=6)
    run(gate, quiet)
    restarts = engine.restarts
    steps = []
    for frame in voice:
        gate.scores(frame)
        steps.append(len(engine.heard))
    assert engine.restarts == restarts + 1
    assert steps[:8] == [3, 6, 9, 12, 15, 18, 21, 23]
    assert engine.heard == quiet[-15:] + voice, "in order, none twice, and caught up"


def test_the_engine_rests_again_two_seconds_later() -> None:
    engine = Engine()
    gate = Gate(engine, {"hey": Word()})
    run(gate, room(40, -60) + room(10, -30, seed=6) + room(100, -60, seed=7))
    assert len(engine.heard) == 15 + 10 + 2 * RATE // FRAME
    run(gate, room(3, -30, seed=8))
    assert engine.restarts == 3, "it starts anew at each opening"


def test_the_best_score_of_what_was_caught_up_counts() -> None:
    gate = Gate(Engine(), {"hey": Word()})
    run(gate, room(40, -60))
    steps = [(16384 if number == 1 else 3000) for number in range(4)]
    voice = [step.to_bytes(2, "little") * FRAME for step in steps]
    assert max(run(gate, voice + room(10, -60, seed=7))) == 0.5


def test_the_floor_follows_a_room_that_grows_louder() -> None:
    engine = Engine()
    gate = Gate(engine, {"hey": Word()})
    run(gate, room(40, -60) + room(round(15 * RATE / FRAME), -48, seed=6))
    heard = len(engine.heard)
    assert heard > 0, "the step was heard"
    run(gate, room(50, -48, seed=7))
    assert len(engine.heard) == heard, "and then the room was known"


def test_after_a_restart_nothing_heard_before_is_replayed() -> None:
    engine = Engine()
    gate = Gate(engine, {"hey": Word()})
    before, after = room(40, -60), room(5, -60, seed=6)
    voice = room(10, -30, seed=7)
    run(gate, before)
    gate.restart()
    run(gate, after + voice)
    assert engine.heard == after + voice


@pytest.mark.parametrize("noise_dbfs", [-120, -65, -40])
def test_hey_jarvis_wakes_as_early_through_the_gate(
    noise_dbfs: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = np.frombuffer(silence(2 * RATE + 640) + speech("cmd_after_wake"), "<i2")
    noise = b"".join(room(len(spoken) // FRAME + 1, noise_dbfs))[: 2 * len(spoken)]
    sound = (spoken // 2 + np.frombuffer(noise, "<i2")).astype("<i2").tobytes()
    asked = Settings(energy_gate=True)
    gated, _ = listen(openwakeword, asked, sound, monkeypatch, ear=Gate)
    always, _ = listen(openwakeword, Settings(), sound, monkeypatch)
    (with_gate,), (without,) = gated, always
    assert isinstance(with_gate, WakeHeard)
    assert isinstance(without, WakeHeard)
    assert with_gate.position == without.position


def test_a_frame_of_a_quiet_room_counts_as_examined() -> None:
    """Or the watchdog would starve in a quiet night."""
    scored = Semaphore(0)

    class Told(Gate):
        def scores(self, samples: bytes) -> Mapping[str, float]:
            scored.release()
            return super().scores(samples)

    async def story() -> None:
        engine, words = Engine(), {"hey": Word()}
        worker = Worker(Told(engine, words), words, {}, lambda _: None)
        for number, frame in enumerate(room(21, -60)):
            worker.offer(frame, number * FRAME)
            assert scored.acquire(timeout=10)
        assert worker.examined >= 20, "the last may be on its way"
        assert engine.heard == []
        await worker.close()

    asyncio.run(story())
