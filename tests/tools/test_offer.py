"""What a server offers: whatever it says, what the model is told is well named, shaped, bounded."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.arguments import flaw
from edged.programs import NAME
from edged.tools._offer import Listed, offered

WORDS = (
    st.sampled_from(["type", "properties", "required", "items", "anyOf", "$ref", "$defs", "enum"])
    | st.sampled_from(["pattern", "minimum", "additionalProperties", "description", "object"])
    | st.text(max_size=5)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


def schemas(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """It, and those within."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    for each in [*inner, schema.get("items", {})]:
        if each:
            yield from schemas(each)


def told(schema: Mapping[str, Any]) -> Mapping[str, Any] | str:
    """The schema as the model is told it, or why it is not."""
    offer = offered("lamp", (), [Listed("switch", "", schema)])
    if offer.tools:
        assert not offer.left_out
        return offer.tools["switch"].parameters
    (why,) = offer.left_out
    return why


@given(
    st.lists(
        st.builds(Listed, st.text(), st.text(), st.dictionaries(WORDS, JSON, max_size=4)),
        max_size=5,
    )
)
def test_what_is_told_can_be_told(listed: list[Listed]) -> None:
    offer = offered("lamp", (), listed)
    names = [spec.name for spec in offer.tools.values()]
    assert len({*names}) == len(names)
    for spec in offer.tools.values():
        assert NAME.fullmatch(spec.name)
        assert spec.description.isprintable()
        assert spec.parameters["type"] == "object"
        assert flaw(spec.parameters) == ""
        text = json.dumps(spec.parameters, allow_nan=False)
        assert len(text) <= 4000
        assert not any("pattern" in each for each in schemas(spec.parameters))
    assert len(offer.tools) + len(offer.left_out) >= len({each.name for each in listed})


def test_what_a_tool_written_in_python_asks_for_is_kept() -> None:
    schema = {
        "$defs": {"Room": {"enum": ["kitchen", "hall"], "type": "string", "title": "Room"}},
        "properties": {
            "room": {"$ref": "#/$defs/Room"},
            "level": {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "null"}]},
            "colours": {"items": {"type": "string", "pattern": "(a+)+b"}, "type": "array"},
        },
        "required": ["room"],
        "title": "switchArguments",
        "type": "object",
    }
    assert told(schema) == {
        "properties": {
            "room": {"enum": ["kitchen", "hall"], "type": "string"},
            "level": {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "null"}]},
            "colours": {"items": {"type": "string"}, "type": "array"},
        },
        "required": ["room"],
        "type": "object",
    }


def test_what_providers_refuse_on_top_is_left_out() -> None:
    top = {"type": "object", "oneOf": [], "anyOf": [{"type": "object"}], "enum": [1], "not": {}}
    assert told(top) == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string"}, "its arguments are no object"),
        ({"properties": {"on": {"type": "bool"}}}, "its schema is none: on: there is no type"),
        ({"required": ["on"]}, 'its schema is none: "on" is required'),
        ({"properties": {"on": {"$ref": "#"}}}, "its schema is too large"),
        ({"properties": {"on": {"$ref": "#/$defs/On"}}}, "its schema refers to what is not there"),
        ({"properties": {"on": {"$ref": "http://lamp"}}}, "its schema refers to what is not the"),
        ({"properties": {"on": {"default": float("nan")}}}, "its schema is none: it is no JSON"),
        ({"properties": {"on": {"enum": ["x" * 5000]}}}, "it takes 50"),
        ({"properties": {f"{n}": {} for n in range(400)}}, "its schema is too large"),
    ],
)
def test_a_schema_that_cannot_be_told_is_left_out(schema: Mapping[str, Any], why: str) -> None:
    assert str(told(schema)).startswith(f'"switch": {why}')


def test_references_to_references_do_not_grow_without_end() -> None:
    bombs = {
        f"{n}": {"properties": {key: {"$ref": f"#/$defs/{n + 1}"} for key in "abcdefgh"}}
        for n in range(12)
    }
    schema = {"$defs": {**bombs, "12": {}}, "properties": {"on": {"$ref": "#/$defs/0"}}}
    assert told(schema) == '"switch": its schema is too large'


def test_names_are_made_unique() -> None:
    odd = ["a b", "a.b", "a_b", "ü" * 90, "ß" * 90]
    offer = offered("lamp", (), [Listed(name, "", {}) for name in odd])
    names = [spec.name for spec in offer.tools.values()]
    assert names[:3] == ["lamp_a_b", "lamp_a_b_2", "lamp_a_b_3"]
    assert len(set(names)) == 5
    assert [*offer.tools] == odd


def test_a_description_is_one_line_of_text() -> None:
    offer = offered("lamp", (), [Listed("switch", " Switches\n\tthe \x1b[31mlamp\u2028 . ", {})])
    assert offer.tools["switch"].description == "Switches the [31mlamp ."


def test_all_of_them_together_are_bounded() -> None:
    listed = [Listed(f"t{n}", "x" * 3000, {}) for n in range(9)]
    offer = offered("lamp", (), listed)
    assert [*offer.tools] == ["t0", "t1", "t2", "t3", "t4"]
    assert offer.left_out == ['"t5" and what follows: it is too much for a model']


def test_what_is_allowed_comes_in_that_order_and_once() -> None:
    listed = [Listed(name, "", {}) for name in "abc"]
    offer = offered("lamp", ("c", "a", "c", "d"), listed)
    assert [*offer.tools] == ["c", "a"]
    assert offer.left_out == ['"d" is not there']
