"""Words of the speaker's own, without anybody on the line, as the loudspeaker sounds them."""

import pytest

from edged.core.commands import Chime
from edged.sound._chimes import chime

from .test_player import WIRE, Box, samples, speech, tell


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_they_sound_whole_in_one_piece_and_are_never_counted(rate: int) -> None:
    async def story() -> None:
        box, words = Box(rate), speech(600)
        for at in range(0, len(words), 4800):
            box.player.say(words[at : at + 4800])
        assert not box.player.idle
        sounded = samples(await box.play(800))
        loud = [at for at in range(0, len(sounded), rate // 100) if sounded[at : at + 80].any()]
        assert loud == list(range(0, loud[-1] + 1, rate // 100)), "no silence between the pieces"
        assert len(loud) in (60, 61)
        assert box.told == []
        assert box.player.idle

    tell(story)


def test_at_the_wires_rate_they_come_as_they_are() -> None:
    async def story() -> None:
        box, words = Box(), speech(300)
        box.player.say(words)
        assert (await box.play(400))[: len(words)] == words

    tell(story)


@pytest.mark.parametrize("which", [Chime.WOKEN, Chime.MUTED, Chime.NETWORK])
def test_an_earcon_takes_their_place(which: Chime) -> None:
    async def story() -> None:
        box = Box()
        box.player.say(speech(2000))
        await box.play(100)
        box.player.sound(which)
        sounded = await box.play(600)
        earcon = chime(which, WIRE)[: len(sounded)]
        assert sounded[: len(earcon)] == earcon
        assert not any(sounded[len(earcon) :]), "the words do not come back"

    tell(story)


def test_the_tick_of_the_volume_does_not() -> None:
    async def story() -> None:
        box, words = Box(), speech(300)
        box.player.say(words)
        await box.play(100)
        box.player.sound(Chime.VOLUME)
        assert (await box.play(300))[:9600] == words[4800:]
        box.player.sound(Chime.VOLUME)
        assert any(await box.play(100)), "with nothing else to be heard it sounds"

    tell(story)


def test_they_can_be_ended_and_said_again() -> None:
    async def story() -> None:
        box, words = Box(), speech(300)
        box.player.say(words)
        await box.play(100)
        box.player.say(b"")
        assert not any(await box.play(300))
        assert box.player.idle
        box.player.say(b"")
        box.player.say(words)
        assert (await box.play(300)) == words

    tell(story)


def test_words_behind_an_earcon_wait_for_its_end() -> None:
    async def story() -> None:
        box, words, earcon = Box(), speech(100), chime(Chime.SLEEPING, WIRE)
        box.player.sound(Chime.SLEEPING)
        box.player.say(words)
        assert (await box.play(600))[: len(earcon + words)] == earcon + words

    tell(story)


def test_how_loud_they_are_can_be_seen() -> None:
    async def story() -> None:
        box = Box()
        assert box.player.status()["speaker_level_dbfs"] == -120.0
        box.player.set_volume(-20.0)
        box.player.say(speech(200))
        await box.play(100)
        # Noise that is uniform to 9000 is 16 dB below a full-scale square wave.
        assert box.player.status()["speaker_level_dbfs"] == pytest.approx(-36.0, abs=1.0)
        await box.play(200)
        assert box.player.status()["speaker_level_dbfs"] == -120.0

    tell(story)


def test_an_answer_goes_on_beside_them() -> None:
    async def story() -> None:
        box = Box()
        box.player.say(speech(200))
        box.player.queue(speech(400))
        box.player.finish()
        await box.play(600)
        assert box.heard[-1] == 9600

    tell(story)


def test_without_a_device_nothing_is_kept() -> None:
    async def story() -> None:
        box, words = Box(), speech(200)
        box.player.forget()
        box.player.say(words)
        box.player.prepare(48000)
        assert not any(await box.play(200))
        box.player.say(words)
        box.player.prepare(WIRE)
        assert not any(await box.play(200)), "a device of another rate begins anew"

    tell(story)
