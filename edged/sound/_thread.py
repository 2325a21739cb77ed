"""The thread named `sound`: whatever of a sound system may block happens there, in order."""

import asyncio
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from ..handoff import Handoff

T = TypeVar("T")
_Job = Callable[[], Callable[[], None]]


class SoundThread:
    """Runs jobs one after another; what they return is handed to a function on the loop.

    A job returns expected trouble as a value. One that raises ends the thread, and its exception
    is raised again on the loop. Create it on the loop's thread.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.job = 0
        """The number of the job that runs; 0 while none does."""
        self._results: Handoff[Callable[[], None]] = Handoff(lambda result: result())
        # A driver that never comes back from the kernel must not keep the process alive.
        self._thread = Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `job` behind those that wait, and `then` on the loop with its result."""
        self._jobs.put(lambda: partial(then, job()))

    async def close(self, last: Callable[[], None], patience_s: float) -> bool:
        """Run `last` and end the thread; whether it ended in time."""
        done = asyncio.get_running_loop().create_future()
        self.do(last, done.set_result)
        self._jobs.put(None)
        await asyncio.wait([done], timeout=patience_s)
        self._results.close()
        if done.done():
            self._thread.join()
        return done.done()

    def _run(self) -> None:
        number = 0
        while (job := self._jobs.get()) is not None:
            number += 1
            self.job = number
            try:
                result = job()
            except BaseException as bug:
                self._results.put(partial(_raise, bug))
                raise
            self.job = 0
            self._results.put(result)


def _raise(bug: BaseException) -> None:
    raise bug
