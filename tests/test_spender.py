"""The unmodified daemon and its owner's limit: no kill, no damage and no restart lifts it."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edged import ledger
from edged.simulator.server import Options, Server, serve

from .home import ANSWERS
from .serviced import Serviced, configured, serviced

pytestmark = pytest.mark.evenings

DAY, NEXT_DAY = "2026-11-21", "2026-11-22"
OPTIONS = Options(answers=ANSWERS, detector="energy", think_s=0.02, transcription_s=0.02)
SPENT = "for this day are spent"
"""What the journal says at four fifths of the limit, and at the end."""
ASLEEP = " asleep     asleep"


class Owner:
    """One box, switched on again and again."""

    def __init__(self, folder: Path, server: Server, limit: str) -> None:
        configured(
            folder,
            '[echo]\nmode = "off"',
            '[session]\ntranscription = ""',
            "[buttons]\ndrivers = []",
            "[conversation]\ntrouble_s = 0.5",
            f"[budget]\n{limit}",
            url=server.url,
        )
        self.folder = folder
        self.server = server
        self.day = folder / "day"
        self.day.write_text(DAY)

    def switched_on(self, disk: str = "") -> Any:
        world = {**os.environ, "SPENDER_DAY": str(self.day), "SPENDER_DISK": disk}
        return serviced(self.folder, program=("-m", "tests.spender"), world=world)

    async def types(self, verb: str) -> None:
        """Somebody does, in vain or not."""
        control = str(self.folder / "control")
        reader, writer = await asyncio.open_unix_connection(control)
        writer.write(json.dumps({"verb": verb}).encode() + b"\n")
        await reader.readline()
        writer.close()
        await writer.wait_closed()

    async def is_answered(self, speaker: Serviced) -> None:
        """One question; the answer has been paid for when this returns, and told."""
        heard, turns = speaker.counts(" hearing"), speaker.counts(" turn ")
        connected = speaker.counts("connected [")
        await self.types("wake")
        await speaker.until(lambda: speaker.counts("connected [") > connected)
        self.server.hears_speech()
        await speaker.until(lambda: speaker.counts(" hearing") > heard)
        self.server.hears_silence()
        await speaker.until(lambda: speaker.counts(" turn ") > turns)

    async def converses(self, speaker: Serviced) -> None:
        """One question, and sleep."""
        slept = speaker.counts(ASLEEP)
        await self.is_answered(speaker)
        await self.types("stop")
        await speaker.until(lambda: speaker.counts(ASLEEP) > slept)

    async def is_refused(self, speaker: Serviced) -> None:
        """It says why, opens no session, and sleeps."""
        sessions, told = len(self.server.visits), speaker.counts("trouble: budget")
        slept = speaker.counts(ASLEEP)
        await self.types("wake")
        await speaker.until(lambda: speaker.counts("trouble: budget") > told)
        await speaker.until(lambda: speaker.counts(ASLEEP) > slept)
        assert len(self.server.visits) == sessions

    async def waits_until(self, speaker: Serviced, day: str) -> None:
        self.day.write_text(day)
        await speaker.says(f"it is {day}")

    @staticmethod
    async def is_killed(speaker: Serviced) -> None:
        speaker.process.kill()
        await speaker.process.wait()


@pytest.mark.parametrize("moment", ["told", "during the write"])
def test_the_limit_holds_across_a_kill_until_the_day_turns(tmp_path: Path, moment: str) -> None:
    async def story() -> None:
        async with await serve(OPTIONS) as server:
            owner = Owner(tmp_path, server, "day_usd = 0.0005")
            async with owner.switched_on("" if moment == "told" else "still") as speaker:
                await owner.is_answered(speaker)
                if moment == "during the write":
                    await speaker.says("the disk stands still")
                await owner.is_killed(speaker)
            async with owner.switched_on() as speaker:
                await owner.is_refused(speaker)
                await owner.is_refused(speaker)
                await owner.is_killed(speaker)
            async with owner.switched_on() as speaker:
                await owner.is_refused(speaker)
                await owner.waits_until(speaker, NEXT_DAY)
                await owner.converses(speaker)
                await owner.is_refused(speaker)
                await speaker.stops()
        bills = [one.details["response"]["usage"] for one in server.entries("response.done")]
        assert len(bills) == 2
        kept = ledger.read(tmp_path / "state")
        assert {day: spent.answers for day, spent in kept.items()} == {DAY: 1, NEXT_DAY: 1}
        assert min(day.usd for day in kept.values()) >= 0.0005

    asyncio.run(story())


def test_a_kill_right_behind_an_answer_forgets_that_answer_at_most(tmp_path: Path) -> None:
    """What was billed a moment ago is on its way to the disk."""

    async def story() -> None:
        async with await serve(OPTIONS) as server:
            owner = Owner(tmp_path, server, "day_usd = 0.0005")
            async with owner.switched_on() as speaker:
                await owner.types("wake")
                await speaker.says("connected [")
                server.hears_speech()
                await speaker.says(" hearing")
                server.hears_silence()
                await speaker.says(SPENT)
                await owner.is_killed(speaker)
            async with owner.switched_on() as speaker:
                if not ledger.read(tmp_path / "state"):
                    await owner.converses(speaker)
                await owner.is_refused(speaker)
                await speaker.stops()
        assert ledger.read(tmp_path / "state")[DAY].usd >= 0.0005

    asyncio.run(story())


def test_it_warns_once_a_day_whatever_ends_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with await serve(OPTIONS) as server:
            owner = Owner(tmp_path, server, "day_usd = 0.02\nwarn_share = 0.1")
            told = 0
            while not told:
                async with owner.switched_on() as speaker:
                    await owner.converses(speaker)
                    told = speaker.counts(SPENT)
                    await speaker.stops()
            assert told == 1
            async with owner.switched_on() as speaker:
                await owner.converses(speaker)
                await owner.is_killed(speaker)
                assert not speaker.counts(SPENT)
            async with owner.switched_on() as speaker:
                await owner.waits_until(speaker, NEXT_DAY)
                while not speaker.counts(SPENT):
                    await owner.converses(speaker)
                await speaker.stops()
                assert speaker.counts(SPENT) == 1

    asyncio.run(story())


@pytest.mark.parametrize("damage", ["", '{"days":{"2026-11-21":{"usd":0.0', '{"days":[]}'])
def test_damaged_books_are_told_of_and_kept(tmp_path: Path, damage: str) -> None:
    async def story() -> None:
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "ledger.json").write_text(damage)
        async with await serve(OPTIONS) as server:
            owner = Owner(tmp_path, server, "day_usd = 0.0005")
            async with owner.switched_on() as speaker:
                await speaker.says("ledger.json is damaged")
                assert (tmp_path / "state" / "ledger.json.damaged").read_text() == damage
                await owner.converses(speaker)
                await owner.is_refused(speaker)
                await speaker.stops()
        days = json.loads((tmp_path / "state" / "ledger.json").read_text())["days"]
        assert days[DAY]["answers"] == 1

    asyncio.run(story())
