"""Where each key of a TOML text stands; tomllib does not say."""

import re
import tomllib
from bisect import bisect_right

Address = tuple[str | int, ...]
"""The keys that lead to a value, with the index for an element of an array."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.S
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")


def find(text: str) -> dict[Address, int]:
    """The line, from 1, of every table, key and array element of a valid TOML text.

    A table that is only implied by a longer name has the line of that name. For text that
    tomllib refuses the answer is undefined.
    """
    finder = _Finder(text)
    finder.document()
    return finder.lines


class _Finder:
    """Walks once through the text; `at` is the position reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Address, int] = {}
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._lengths: dict[Address, int] = {}
        """Of the arrays of tables so far."""

    def document(self) -> None:
        table: Address = ()
        while (start := self._skip(_BLANK)) < len(self.text):
            if self._next("[["):
                table = self._header("]]")
            elif self._next("["):
                table = self._header("]")
            else:
                self._pair(table)
            if self.at == start:
                return

    def _header(self, end: str) -> Address:
        line = self._line()
        keys = self._keys()
        self._next(end)
        address: Address = ()
        for number, key in enumerate(keys, 1):
            address += (key,)
            last = number == len(keys)
            if last and end == "]]":
                self._lengths[address] = self._lengths.get(address, 0) + 1
            if last and address not in self._lengths:
                self.lines[address] = line
            else:
                self.lines.setdefault(address, line)
            if address in self._lengths:
                address += (self._lengths[address] - 1,)
                self.lines.setdefault(address, line)
        return address

    def _pair(self, table: Address) -> None:
        line = self._line()
        for key in self._keys():
            table += (key,)
            self.lines.setdefault(table, line)
        self._next("=")
        self._value(table)

    def _value(self, address: Address) -> None:
        self._skip(_INLINE_BLANK)
        if self._next("["):
            index = 0
            while not self._closed("]"):
                self.lines[(*address, index)] = self._line()
                self._value((*address, index))
                index += 1
        elif self._next("{"):
            while not self._closed("}"):
                self._pair(address)
        elif self.text.startswith(('"', "'"), self.at):
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _closed(self, end: str) -> bool:
        """Past blanks and a comma; whether the array or inline table ends here."""
        self._skip(_BLANK)
        if self._next(","):
            self._skip(_BLANK)
        return self._next(end) or self.at >= len(self.text)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_INLINE_BLANK)
            start = self.at
            quoted = self.text.startswith(('"', "'"), start)
            self._skip(_STRING if quoted else _BARE)
            name = self.text[start : self.at]
            keys.append(tomllib.loads(f"k = {name}")["k"] if quoted else name)
            self._skip(_INLINE_BLANK)
            if not self._next("."):
                return keys

    def _skip(self, pattern: re.Pattern[str]) -> int:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return self.at

    def _next(self, token: str) -> bool:
        found = self.text.startswith(token, self.at)
        if found:
            self.at += len(token)
        return found

    def _line(self) -> int:
        return bisect_right(self._breaks, self.at) + 1
