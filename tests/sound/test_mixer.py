"""The sound card's own volume control: found by name, turned in decibels where it knows them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from edged.core.events import SpeakerLost, SpeakerOpened
from edged.echo import off
from edged.ports import Echo, SoundCard
from edged.sound import _mixer, portaudio
from edged.sound._mixer import Mixer
from edged.sound.portaudio import Settings

from .knobs import Knob, Knobs
from .studio import Ear, Studio, Thing
from .witness import Witness


def knobs(*of_the_default: Knob) -> Knobs:
    return Knobs({"default": list(of_the_default)})


@pytest.mark.parametrize(
    ("volume_db", "hundredths"), [(0.0, 0), (-6.0, -600), (-4.56, -456), (-60.0, -5100)]
)
def test_a_control_with_decibels_is_turned_to_them_as_far_as_it_goes(
    volume_db: float, hundredths: int
) -> None:
    pcm = Knob("PCM", (0, 255), (-5100, 400))
    Mixer("default", "PCM", knobs(Knob("Mic", None), pcm)).set_volume(volume_db)
    assert pcm.turned_to == hundredths


def test_a_control_that_is_never_as_loud_as_asked_is_as_loud_as_it_goes() -> None:
    quiet = Knob("PCM", (0, 255), (-9000, -300))
    Mixer("default", "PCM", knobs(quiet)).set_volume(0)
    assert quiet.turned_to == -300


@pytest.mark.parametrize("no_scale", [None, (0, 0), (0, -100)])
@pytest.mark.parametrize(("volume_db", "steps"), [(0.0, 110), (-6.0, 60), (-20.0, 20), (-60.0, 10)])
def test_a_control_without_decibels_is_turned_by_amplitude(
    no_scale: tuple[int, int] | None, volume_db: float, steps: int
) -> None:
    master = Knob("Master", (10, 110), no_scale)
    Mixer("default", "Master", knobs(master)).set_volume(volume_db)
    assert master.turned_to == steps


def test_a_control_that_is_not_there_is_told_with_those_that_are() -> None:
    there = knobs(Knob("Master"), Knob("Capture", None), Knob("PCM"))
    with pytest.raises(OSError, match="no playback control") as caught:
        Mixer("default", "Headphone", there).check()
    for part in ('"Headphone"', 'there are: "Master", "PCM".', "Set `mixer` to one of them"):
        assert part in str(caught.value)
    assert there.opened == there.closed == 1
    with pytest.raises(OSError, match="there are: none"):
        Mixer("default", "Headphone", knobs()).check()


def test_a_control_that_only_captures_is_no_volume() -> None:
    with pytest.raises(OSError, match="there are: none"):
        Mixer("default", "Mic", knobs(Knob("Mic", None))).check()


def test_a_card_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = tmp_path / "cards"
    cards.write_text(
        " 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi\n                      vc4-hdmi\n"
        " 1 [Device         ]: USB-Audio - USB Audio Device\n"
    )
    monkeypatch.setattr(_mixer, "_CARDS", cards)
    there = knobs(Knob("PCM"))
    with pytest.raises(OSError, match="No such file") as caught:
        Mixer("hw:Devise", "PCM", there).set_volume(-6)
    for part in ('"hw:Devise"', '"default", "hw:vc4hdmi", "hw:Device"', "`mixer_card`"):
        assert part in str(caught.value)
    assert there.opened == there.closed == 1


async def opened(
    control: str,
    mixer: Knobs,
    story: Callable[..., Awaitable[None]],
    echo: Echo | None = None,
) -> None:
    """Tell a story about a card with a mixer."""
    place = Studio([Thing("Box", outputs=1, rates=(24000,))])
    ear = Ear()
    settings = Settings(mixer=control)
    echo = echo or off.open(off.Settings(), 24000)
    card = portaudio.open(settings, ear, 24000, 20, echo, "off", api=place.api, library=mixer)
    try:
        await story(card, ear, place)
    finally:
        await card.close()
    assert mixer.opened == mixer.closed
    assert mixer.threads == {"sound"}


def loudness(place: Studio) -> float:
    """Of the last sound played, against what was queued."""
    played = np.frombuffer(bytes(place.played["Box"]), dtype="<i2")
    return float(played[np.flatnonzero(played)[-1]]) / 10000


SOUND = np.full(480, 10000, dtype="<i2").tobytes()


def test_the_card_turns_the_volume_and_the_sound_stays_as_it_came() -> None:
    pcm = Knob("PCM", (0, 255), (-5100, 0))

    async def story(card: SoundCard, ear: Ear, place: Studio) -> None:
        card.set_volume(-12)
        await ear.hear(SpeakerOpened)
        await place.run(10, streams=1)
        assert pcm.turned_to == -1200
        card.queue(SOUND)
        card.finish()
        await place.run(50)
        assert loudness(place) == 1
        card.set_volume(-9)
        while pcm.turned_to != -900:
            await place.run(10)
        assert not ear.all(SpeakerLost)

    asyncio.run(opened("PCM", knobs(pcm), story))


def test_what_the_card_turns_the_echo_driver_is_told_and_a_duck_is_ours() -> None:
    pcm, witness = Knob("PCM", (0, 255), (-5100, 0)), Witness()

    async def story(card: SoundCard, ear: Ear, place: Studio) -> None:
        await ear.hear(SpeakerOpened)
        for volume_db in (-12, -12, -9):
            card.set_volume(volume_db)
            while pcm.turned_to != 100 * volume_db:
                await place.run(10, streams=1)
        await place.run(30)
        assert witness.changes == ["reopened", "volume", "volume"]
        card.duck(12)
        card.queue(SOUND)
        card.finish()
        await place.run(50)
        assert loudness(place) == pytest.approx(0.251, abs=0.001)
        assert pcm.turned_to == -900

    asyncio.run(opened("PCM", knobs(pcm), story, witness))


def test_a_mixer_that_goes_leaves_the_volume_to_us_until_it_is_back() -> None:
    mixer = knobs(Knob("PCM", (0, 255), (-5100, 0)))
    gone = mixer.cards["default"]

    async def story(card: SoundCard, ear: Ear, place: Studio) -> None:
        await ear.hear(SpeakerOpened)
        for there, volume_db, expected in ((False, -20, 0.1), (True, -6, 1.0)):
            mixer.cards = {"default": gone} if there else {}
            asked = mixer.closed
            card.set_volume(volume_db)
            while mixer.closed == asked:
                await place.run(10, streams=1)
            await place.run(20)
            card.queue(SOUND)
            card.finish()
            await place.run(80)
            assert loudness(place) == pytest.approx(expected, abs=0.001)
        assert not ear.all(SpeakerLost)

    asyncio.run(opened("PCM", mixer, story))


def test_a_control_that_never_was_there_is_said_until_the_card_has_it() -> None:
    mixer = knobs(Knob("Speaker"))

    async def story(card: SoundCard, ear: Ear, _place: Studio) -> None:
        card.set_volume(-6)
        lost = await ear.hear(SpeakerLost)
        assert 'no playback control "PCM"; there are: "Speaker"' in lost.detail
        mixer.cards["default"].append(Knob("PCM"))
        await ear.hear(SpeakerOpened)
        assert len(ear.all(SpeakerLost)) == 1

    asyncio.run(opened("PCM", mixer, story))
