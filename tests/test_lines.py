"""The line of every key, in every way TOML has of writing one."""

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import lines


@pytest.mark.parametrize(
    ("text", "address", "line"),
    [
        ("a = 1", ("a",), 1),
        ("# first\n\na = 1", ("a",), 3),
        ("\r\na = 1\r\nb = 2\r\n", ("b",), 3),
        ("[t]\n\n  a = 1 # b = 2", ("t", "a"), 3),
        ("[t]\n[u]", ("u",), 2),
        ("[ t . 'u v' ]\na=1", ("t", "u v", "a"), 2),
        ('x."a.b"."\\u00e9" = 1', ("x", "a.b", "é"), 1),
        ("[a.b]\nx = 1\n\n[a]\ny = 1", ("a",), 4),
        ("[a.b]\nx = 1\n\n[a]\ny = 1", ("a", "b"), 1),
        ("a.b = 1\na.c = 2", ("a",), 1),
        ("a.b = 1\na.c = 2", ("a", "c"), 2),
        ('a = """\nb = 1\n"""\nb = 2', ("b",), 4),
        ('a = """x\\"""" \nb = 2', ("b",), 2),
        ('a = """""x"""""\nb = 2', ("b",), 2),
        ("a = '''\n[t]\n'''''\nb = 2", ("b",), 4),
        ('a = ""\nb = 2', ("b",), 2),
        ('a = "# \\" ]"\nb = 2', ("b",), 2),
        ("a = 'c:\\'\nb = 2", ("b",), 2),
        ("a = 1979-05-27 07:32:00\nb = -inf\nc = 0x_f".replace("_", ""), ("c",), 3),
        ("a = [\n  1, # one\n  2,\n]\nb = 2", ("a", 1), 3),
        ("a = [\n  1, # one\n  2,\n]\nb = 2", ("b",), 5),
        ("a = [[1, 2],\n [3]]", ("a", 1, 0), 2),
        ("a = [{x = 1},\n {x = 2}]", ("a", 1, "x"), 2),
        ("a = []\nb = {}\nc = 1", ("c",), 3),
        ("a = { x = 1, y.z = [1, 2] }", ("a", "y", "z"), 1),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", ("a", 1, "x"), 4),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", ("a",), 1),
        ("[[a]]\n[a.b]\nx = 1\n[[a]]\n[a.b]\nx = 2", ("a", 1, "b", "x"), 6),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nx = 1", ("a", 0, "b", 1, "x"), 4),
    ],
)
def test_a_key_is_found_where_it_stands(text: str, address: lines.Address, line: int) -> None:
    tomllib.loads(text)
    assert lines.find(text)[address] == line


PLAIN = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x7f")
KEYS = st.sampled_from(["a", "b-c", "1", "a.b", "", "[x]", "é", "#"]) | st.text(PLAIN, max_size=4)
STRINGS = st.text(alphabet=st.sampled_from("ab\"'\\\n#[]{},=. é"), max_size=8)
SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-9, 9), STRINGS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


class Writer:
    """Writes a document in ways that `draw` chooses, and notes the line of each key."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[lines.Address, int] = {}

    def table(self, table: dict[str, Any], address: lines.Address = ()) -> None:
        """Plain keys first, then tables with a header of their own."""
        tables = {}
        for key, value in table.items():
            here = (*address, key)
            if isinstance(value, dict) and self.draw(st.booleans()):
                tables[key] = value
                continue
            self.blank()
            self.lines[here] = self.line
            self.text += f"{self.key(key)} = "
            self.value(value, here)
            self.text += self.draw(st.sampled_from(["\n", " # b = [\n", "\n\n"]))
        for key, value in tables.items():
            here = (*address, key)
            self.blank()
            self.lines[here] = self.line
            self.text += "[" + " . ".join(self.key(str(part)) for part in here) + "]\n"
            self.table(value, here)

    def value(self, value: Any, address: lines.Address) -> None:
        match value:
            case dict():
                self.text += "{ "
                for number, (key, inner) in enumerate(value.items()):
                    self.text += ", " if number else ""
                    self.lines[(*address, key)] = self.line
                    self.text += f"{self.key(key)} = "
                    self.value(inner, (*address, key))
                self.text += " }"
            case list():
                self.text += "["
                for number, inner in enumerate(value):
                    self.text += ("," if number else "") + self.draw(
                        st.sampled_from(["", " ", "\n", " # ]\n\n"])
                    )
                    self.lines[(*address, number)] = self.line
                    self.value(inner, (*address, number))
                self.text += "]"
            case str():
                self.string(value)
            case _:
                self.text += json.dumps(value)

    def string(self, value: str) -> None:
        spellings = [json.dumps(value)]
        if "'" not in value and "\n" not in value:
            spellings.append(f"'{value}'")
        if "'''" not in value:
            spellings.append(f"'''\n{value}'''")
        spellings.append('"""\n' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""')
        self.text += self.draw(st.sampled_from(spellings))

    def key(self, key: str) -> str:
        return key if key in ("a", "b-c", "1") and self.draw(st.booleans()) else json.dumps(key)

    def blank(self) -> None:
        self.text += self.draw(st.sampled_from(["", "\n", "# [x]\n", "  "]))

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[lines.Address, int]]:
    writer = Writer(draw)
    writer.table(draw(st.dictionaries(KEYS, VALUES, max_size=4)))
    return writer.text, writer.lines


@given(documents())
def test_every_key_of_any_document_is_found(document: tuple[str, dict[lines.Address, int]]) -> None:
    text, expected = document
    tomllib.loads(text)
    assert lines.find(text) == expected


@given(st.text(alphabet=st.sampled_from("a=[]{}\"'.,#\n 1"), max_size=20))
def test_text_that_is_not_toml_does_no_harm(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.find(text).values())
