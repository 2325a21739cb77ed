"""A person at a terminal: reads what a program writes there, and types."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType

_PATIENCE_S = 40.0
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x1b(?:\[[0-9;?]*)?\Z")


_SITS_DOWN = """\
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
_EDGED = """\
import sys
from edged import cli
sys.exit(cli.main())
"""


class Terminal:
    """Runs `edged` with these words on a terminal of its own."""

    def __init__(self, *words: str, environment: Mapping[str, str], code: str = _EDGED) -> None:
        """`code` may begin it in another world."""
        self._line, theirs = pty.openpty()
        self._child = subprocess.Popen(
            # Whoever runs the tests in the background has Ctrl-C ignored, and that is inherited.
            ["env", "--default-signal=INT", sys.executable, "-c", _SITS_DOWN + code, *words],
            env={**environment, "TERM": "xterm", "COLUMNS": "200", "LINES": "50"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._said = ""
        self._read = 0
        self._ended = False
        self._reader = threading.Thread(target=self._listen)
        self._news = threading.Condition()
        self._reader.start()

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.kill()
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

    def presses(self, key: str) -> None:
        """Press one key, Ctrl-C as \\x03."""
        os.write(self._line, key.encode())

    def hangs_up(self) -> None:
        """Close the window."""
        self._child.send_signal(signal.SIGHUP)

    def ends(self) -> int:
        """Wait for its end; the exit status."""
        status = self._child.wait(_PATIENCE_S)
        self._reader.join(_PATIENCE_S)
        return status

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
