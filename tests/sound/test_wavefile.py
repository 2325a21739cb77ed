"""Files as a sound card: what is recorded is heard, what is played is written."""

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.core.commands import Chime
from edged.core.events import (
    EchoMeasured,
    MicFrame,
    MicLost,
    MicOpened,
    SpeakerLost,
    SpeakerOpened,
    SpeakerProgress,
)
from edged.echo import off
from edged.ports import Echo, SoundCard
from edged.sound import wavefile
from edged.sound._chimes import chime
from edged.sound.wavefile import Settings

from .studio import Ear
from .witness import Witness


def write(path: Path, samples: NDArray[np.int16], rate: int) -> str:
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1] if samples.ndim > 1 else 1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return str(path)


def read(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path), "rb") as file:
        assert file.getparams()[:3] == (1, 2, 24000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


@asynccontextmanager
async def opened(
    settings: Settings, echo: Echo | None = None
) -> AsyncIterator[tuple[SoundCard, Ear]]:
    ear = Ear()
    echo = echo or off.open(off.Settings(), 24000)
    card = wavefile.open(settings, ear, 24000, 20, echo, "off")
    try:
        yield card, ear
    finally:
        await card.close()


def tell(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_a_recording_is_heard_to_its_last_sample_then_faint_noise(
    rate: int, tmp_path: Path
) -> None:
    said = np.random.default_rng(rate).integers(-9000, 9000, (rate, 2)).astype("<i2")
    path = write(tmp_path / "said.wav", said, rate)

    async def story() -> None:
        async with opened(Settings(microphone=path, channel=1, paced=False)) as (card, ear):
            card.open_microphone()
            assert ear.told == [], "never from inside the call: whoever asks is still busy"
            assert await ear.hear(MicOpened) == MicOpened(path, rate)
            while len(ear.all(MicFrame)) < 60:
                await ear.hear(MicFrame, len(ear.told))
        frames = ear.all(MicFrame)
        heard = np.frombuffer(b"".join(frame.samples for frame in frames), dtype="<i2")
        assert np.array_equal(heard[:rate], said[:, 1])
        assert 0 < np.abs(heard[rate:]).max() < 10
        assert [frame.position for frame in frames] == [n * rate // 50 for n in range(len(frames))]

    tell(story)


def test_an_answer_is_written_and_heard(tmp_path: Path) -> None:
    answer = np.random.default_rng(3).integers(-9000, 9000, 30000).astype("<i2")

    async def story() -> None:
        path = tmp_path / "heard.wav"
        async with opened(Settings(speaker=str(path), paced=False)) as (card, ear):
            assert (await ear.hear(SpeakerOpened)).rate == 24000
            card.queue(answer[:20000].tobytes())
            card.queue(answer[20000:].tobytes())
            card.finish()
            while ear.all(SpeakerProgress)[-1:] != [SpeakerProgress(30000)]:
                await ear.hear(SpeakerProgress, len(ear.told))
        written = read(path)
        first = int(np.flatnonzero(written)[0])
        assert np.array_equal(written[first : first + 30000], answer)

    tell(story)


def test_real_time_takes_its_time(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "heard.wav"
        async with opened(Settings(speaker=str(path))) as (card, ear):
            await ear.hear(SpeakerOpened)
            began = asyncio.get_running_loop().time()
            card.sound(Chime.WOKEN)
            card.queue(bytes(2 * 7200))
            card.finish()
            while ear.all(SpeakerProgress)[-1:] != [SpeakerProgress(7200)]:
                await ear.hear(SpeakerProgress, len(ear.told))
            assert 0.29 < asyncio.get_running_loop().time() - began < 1.5
        earcon = np.frombuffer(chime(Chime.WOKEN, 24000), dtype="<i2")
        written = read(path)
        first = int(np.flatnonzero(written)[0]) - int(np.flatnonzero(earcon)[0])
        assert np.array_equal(written[first : first + len(earcon)], earcon)

    tell(story)


def test_closed_it_says_nothing_and_goes_on_where_it_was(tmp_path: Path) -> None:
    said = np.arange(1, 24001, dtype="<i2")
    path = write(tmp_path / "said.wav", said, 24000)

    async def story() -> None:
        async with opened(Settings(microphone=path, paced=False)) as (card, ear):
            card.open_microphone()
            await ear.hear(MicFrame)
            card.close_microphone()
            seen = len(ear.told)
            await ear.hear(SpeakerOpened)
            for _ in range(20):
                await asyncio.sleep(0)
            assert not [event for event in ear.told[seen:] if isinstance(event, MicFrame)]
            card.open_microphone()
            frame = await ear.hear(MicFrame, seen)
            assert frame.position == 0
            assert np.frombuffer(frame.samples, dtype="<i2")[0] > 480

    tell(story)


def test_a_file_that_is_not_there_or_not_sound_is_told(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF, it says")

    async def story() -> None:
        missing = str(tmp_path / "no" / "such.wav")
        for path in (missing, str(bad)):
            async with opened(Settings(microphone=path, speaker=missing)) as (card, ear):
                card.open_microphone()
                assert path in (await ear.hear(MicLost)).detail
                assert missing in (await ear.hear(SpeakerLost)).detail
                card.queue(bytes(480))
                card.finish()
                card.hush()

    tell(story)


def test_awake_what_is_heard_is_clean_and_dozing_it_is_not(tmp_path: Path) -> None:
    async def story() -> None:
        witness = Witness(score=0.1, erle_db=7.0)
        path = tmp_path / "heard.wav"
        async with opened(Settings(speaker=str(path), paced=False), witness) as (card, ear):
            card.open_microphone()
            await ear.hear(MicFrame)
            assert ear.all(MicFrame)[0].clean is not None
            card.duck(12)
            card.queue(np.full(4800, 10000, dtype="<i2").tobytes())
            card.finish()
            while ear.all(SpeakerProgress)[-1:] != [SpeakerProgress(4800)]:
                await ear.hear(SpeakerProgress, len(ear.told))
            card.doze(True)
            assert await ear.hear(EchoMeasured) == EchoMeasured("off", 7.0, 0.0)
            seen = len(ear.told)
            assert (await ear.hear(MicFrame, seen)).clean is None
            assert card.status()["echo_erle_db"] == 7.0
            assert card.status()["speaker"] == str(path)
        written, played = read(path), witness.played_samples()
        assert np.count_nonzero(written == 2511) == np.count_nonzero(played == 2511) == 4800
        # The microphone hears what sounded 20 ms ago.
        assert len(played) - witness.places[-1] in (480, 720)

    tell(story)
