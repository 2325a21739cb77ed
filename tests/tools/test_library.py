"""A large library is read in beside everything else."""

import asyncio
import os
import subprocess
import sys

import pytest

from edged.tools._library import loaded

FRESH = """
import asyncio, sys
from edged.tools._library import loaded
async def story():
    turns = 0
    task = asyncio.create_task(loaded("_mcp"))
    while not task.done():
        turns += 1
        await asyncio.sleep(0.001)
    assert (await task) is sys.modules["edged.tools._mcp"] is await loaded("_mcp")
    assert turns > 5, turns
async def impatience():
    task = asyncio.create_task(loaded("_mcp"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
asyncio.run({story}())
print("done", flush=True)
"""


@pytest.mark.parametrize("story", ["story", "impatience"])
def test_the_loop_turns_meanwhile_and_nobody_has_to_wait_for_it(story: str) -> None:
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", FRESH.replace("{story}", story)],
        # Without asyncio's debug mode, which complains of a slow machine as of a mistake.
        env={k: v for k, v in os.environ.items() if k != "PYTHONASYNCIODEBUG"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "done\n", "")


def test_one_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ImportError, match="_nothing"):
        asyncio.run(loaded("_nothing"))
