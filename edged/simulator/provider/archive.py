"""Files that grow while the loop runs: a thread writes, so that a slow disk delays no event."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO


class Archive:
    """Appends to files; what they held before is lost when they are opened."""

    def __init__(self) -> None:
        self._waiting: dict[Path, bytearray] = {}
        self._files: dict[Path, BinaryIO] = {}
        self._news = asyncio.Event()
        self._ended = False

    async def open(self, file: Path) -> None:
        """Begin a file now rather than with its first data; raises OSError."""
        await asyncio.to_thread(self._file, file)

    def append(self, file: Path, data: bytes) -> None:
        """Let `data` be written within milliseconds; never blocks."""
        self._waiting.setdefault(file, bytearray()).extend(data)
        self._news.set()

    def end(self) -> None:
        """Nothing more is appended: let `run` return."""
        self._ended = True
        self._news.set()

    async def run(self) -> None:
        """Write until ended, then close the files; raises OSError when a disk takes no more."""
        while not self._ended:
            await self._news.wait()
            self._news.clear()
            batch, self._waiting = self._waiting, {}
            await asyncio.to_thread(self._write, batch)
        await asyncio.to_thread(self._close, self._waiting)

    def _file(self, path: Path) -> BinaryIO:
        if path not in self._files:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files[path] = path.open("wb", buffering=0)
        return self._files[path]

    def _write(self, batch: Mapping[Path, bytearray]) -> None:
        for path, data in batch.items():
            self._file(path).write(data)

    def _close(self, rest: Mapping[Path, bytearray]) -> None:
        self._write(rest)
        for file in self._files.values():
            file.close()
        self._files.clear()
