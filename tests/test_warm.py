"""The unmodified daemon with a session in advance, over a real WebSocket."""

import asyncio
from pathlib import Path

import pytest

from edged.simulator.server import Faults, Options, Server, serve

from .serviced import configured, serviced

pytestmark = pytest.mark.evenings

SOUND = "input_audio_buffer.append"
SLOW = Faults(connect_delay_s=0.4, created_delay_s=0.2, updated_delay_s=0.2)


async def happens(server: Server, kind: str, times: int = 1) -> float:
    """Wait for an event of this type; when it came, by the server's clock."""
    for _ in range(2000):
        if len(found := server.entries(kind)) >= times:
            return found[times - 1].t
        await asyncio.sleep(0.01)
    raise AssertionError(f"no {kind}: {[entry.type for entry in server.log]}")


@pytest.mark.parametrize("warm", ["never", "always"])
def test_sound_leaves_at_the_wake_and_none_before(warm: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with await serve(Options(faults=SLOW, detector="energy")) as server:
            configured(tmp_path, f'[conversation]\nwarm = "{warm}"', url=server.url)
            async with serviced(tmp_path) as speaker:
                await speaker.says("microphone")
                if warm == "always":
                    await happens(server, "session.updated")
                # There is sound that could be sent.
                await asyncio.sleep(1.0)
                assert not server.entries(SOUND)
                assert len(server.visits) == (warm == "always")
                assert "asleep" in await speaker.types("status")
                await speaker.types("wake")
                await happens(server, SOUND)
                await speaker.says("listening")
                assert bool(speaker.counts("connecting")) is (warm == "never")
                assert len(server.visits) == 1
                await speaker.stops()

    asyncio.run(story())


def test_a_new_configuration_does_not_wait_for_one_that_stands_by(tmp_path: Path) -> None:
    async def story() -> None:
        async with await serve(Options(detector="energy")) as server:
            configured(tmp_path, '[conversation]\nwarm = "always"', url=server.url)
            async with serviced(tmp_path) as speaker:
                await speaker.says("microphone")
                await happens(server, "session.updated")
                speaker.reload()
                await speaker.says("a session that stood by has ended")
                await speaker.says("is taken")
                await happens(server, "session.updated", 2)
                await speaker.stops()
            assert not server.entries(SOUND)

    asyncio.run(story())
