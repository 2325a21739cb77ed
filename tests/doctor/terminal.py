"""A person at a terminal: reads what a program writes there, and types."""

import os
import pty
import re
import select
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType

_PATIENCE_S = 40.0
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """Runs `edged` with these words on a terminal of its own."""

    def __init__(self, *words: str, environment: Mapping[str, str], code: str = "") -> None:
        """`code` is run in place of `python -m edged`, to begin in another world."""
        command = ["-c", code] if code else ["-m", "edged"]
        argv = [sys.executable, *command, *words]
        environment = {**environment, "TERM": "xterm", "COLUMNS": "200", "LINES": "50"}
        self._child, self._line = pty.fork()
        if self._child == 0:
            os.execve(sys.executable, argv, environment)
        self._said = ""
        self._read = 0
        self._ended = False
        self._reader = threading.Thread(target=self._listen)
        self._news = threading.Condition()
        self._reader.start()
        self.status: int | None = None

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.status is None:
            os.kill(self._child, 9)
            self.ends()
        os.close(self._line)

    @property
    def said(self) -> str:
        """Everything so far, without colours."""
        return _STYLE.sub("", self._said)

    def reads(self, pattern: str) -> str:
        """Wait until this is there, behind what was read before; the match."""
        deadline = time.monotonic() + _PATIENCE_S
        with self._news:
            while (found := re.search(pattern, self.said[self._read :])) is None:
                left = deadline - time.monotonic()
                assert left > 0, f"no {pattern!r} in: {self.said}"
                assert not self._ended, f"it ended without {pattern!r}: {self.said}"
                self._news.wait(left)
            self._read += found.end()
        return found[0]

    def types(self, text: str) -> None:
        """Type this, and Enter."""
        os.write(self._line, f"{text}\r".encode())

    def answers(self, pattern: str, text: str = "") -> None:
        """Read a question and answer it; with nothing but Enter by default."""
        self.reads(pattern)
        self.types(text)

    def ends(self) -> int:
        """Wait for its end; the exit status."""
        if self.status is None:
            self._reader.join(_PATIENCE_S)
            _, status = os.waitpid(self._child, 0)
            self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def _listen(self) -> None:
        while True:
            select.select([self._line], [], [])
            try:
                piece = os.read(self._line, 4096)
            except OSError:
                # The way in which Linux says that nobody has the terminal open any more.
                piece = b""
            with self._news:
                self._said += piece.decode(errors="replace")
                self._ended = not piece
                self._news.notify()
            if not piece:
                return
