"""What a model sends is read, and held against what was asked for."""

from typing import Any

import pytest

from edged.arguments import broken, flaw, read

LAMP = {
    "type": "object",
    "properties": {
        "on": {"type": "boolean"},
        "room": {"enum": ["kitchen", "hall"]},
        "level": {"type": "integer", "minimum": 1, "maximum": 10},
        "hue": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]+$"},
        "at": {
            "type": "array",
            "items": {"type": "object", "properties": {"x": {"type": "number"}}},
            "maxItems": 2,
        },
        "name": {"type": ["string", "null"]},
    },
    "required": ["on"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("text", ["", "{}", ' {"on": 1.5} '])
def test_an_object_is_read(text: str) -> None:
    assert read(text) == ({"on": 1.5} if "on" in text else {})


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", "3", '"on"', "null", '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000),
        *('{"a": "\\ud83d"}', '{"\\udc00": 1}'),
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text)


@pytest.mark.parametrize(
    "given",
    [
        {"on": True},
        {"on": False, "room": "hall", "level": 10, "hue": "blue"},
        {"on": True, "level": 3.0},
        {"on": True, "at": [{"x": 1}, {"x": 2.5, "y": "what nobody asked for"}]},
        {"on": True, "name": None},
    ],
)
def test_what_fits_is_taken(given: dict[str, Any]) -> None:
    assert broken(LAMP, given) == ""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, '"on" is missing'),
        ({"on": "yes"}, 'on: true or false is expected, not "yes"'),
        ({"on": 1}, "on: true or false is expected, not 1"),
        ({"on": None}, "on: true or false is expected, not null"),
        (
            {"on": True, "lvl": 3},
            'there is no "lvl"; there are: on, room, level, hue, at, name',
        ),
        ({"on": True, "room": "attic"}, 'room: one of "kitchen", "hall" is expected, not "attic"'),
        ({"on": True, "level": 11}, "level: at most 10 is expected, not 11"),
        ({"on": True, "level": 0}, "level: at least 1 is expected, not 0"),
        ({"on": True, "level": 2.5}, "level: a whole number is expected, not 2.5"),
        ({"on": True, "level": True}, "level: a whole number is expected, not true"),
        ({"on": True, "level": "3"}, 'level: a whole number is expected, not "3"'),
        ({"on": True, "level": 1e999}, "level: a whole number is expected, not Infinity"),
        ({"on": True, "level": 10**15}, f"level: at most 10 is expected, not {10**15}"),
        (
            {"on": True, "level": 10**400},
            f"level: at most 10 is expected, not 1{'0' * 56}...",
        ),
        ({"on": True, "hue": ""}, 'hue: 1 characters or more is expected, not ""'),
        ({"on": True, "hue": "purple"}, 'hue: 5 characters at most is expected, not "purple"'),
        ({"on": True, "hue": "BLUE"}, 'hue: text that fits ^[a-z]+$ is expected, not "BLUE"'),
        ({"on": True, "at": {}}, "at: a list is expected, not {}"),
        ({"on": True, "at": [{"x": 1}, {"x": "2"}]}, 'at[1].x: a number is expected, not "2"'),
        ({"on": True, "at": [{}] * 3}, "at: 2 items at most is expected, not [{}, {}, {}]"),
        ({"on": True, "name": 3}, "name: text or null is expected, not 3"),
    ],
)
def test_what_does_not_fit_is_said_so(given: dict[str, Any], text: str) -> None:
    assert broken(LAMP, given) == text


def test_a_long_value_is_not_repeated() -> None:
    assert len(broken(LAMP, {"on": "x" * 10_000})) < 120


def test_true_is_not_one() -> None:
    assert broken({"enum": [1]}, True)
    assert not broken({"enum": [1]}, 1.0)
    assert broken({"const": "a"}, "b") == 'one of "a" is expected, not "b"'


def test_values_nested_without_end_are_refused() -> None:
    value: Any = 1
    schema: dict[str, Any] = {}
    for _ in range(500):
        value = [value]
        schema = {"items": schema}
    assert broken(schema, value).endswith("it is nested too deeply")
    assert flaw({"properties": {"a": schema}}).endswith("it is nested too deeply")
    for _ in range(200_000):
        schema = {"title": schema}
    assert flaw(schema) == "it is nested too deeply"


def test_a_schema_for_arguments_is_one() -> None:
    assert flaw(LAMP) == ""
    assert flaw({}) == ""
    assert flaw({"properties": {"level": {"type": "integer", "maximum": 10**400}}}) == ""


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "array"}, 'its `type` is "object": the arguments have names'),
        ({"properties": {"on": {"type": "bool"}}}, 'on: there is no type "bool"; there are: '),
        ({"properties": {"on": {"type": [3]}}}, "on: there is no type 3; "),
        ({"properties": {"on": {"type": 3}}}, "on: there is no type 3; "),
        ({"properties": {"on": "boolean"}}, "on: a table is expected"),
        ({"properties": ["on"]}, "`properties` is a table"),
        ({"properties": {"a": {"minimum": "1"}}}, "a: `minimum` is a number"),
        ({"properties": {"a": {"enum": "on"}}}, "a: `enum` is a list"),
        ({"properties": {"a": {"pattern": "("}}}, "a: `pattern` is no regular expression: "),
        ({"properties": {"a": {"pattern": 3}}}, "a: `pattern` is no regular expression: "),
        ({"required": ["on"]}, '"on" is required, but not among the `properties`'),
        ({"required": [["on"]]}, '["on"] is required, but not among the `properties`'),
        ({"required": "on"}, "`required` is a list"),
        ({"properties": {"a": {"items": {"type": "x"}}}}, 'a.items: there is no type "x"; '),
        ({"additionalProperties": {"type": "x"}}, 'additionalProperties: there is no type "x"; '),
        ({"title": float("nan")}, "it is no JSON: "),
        ({"title": object()}, "it is no JSON: "),
    ],
)
def test_what_is_no_schema_is_said_so(schema: dict[str, Any], text: str) -> None:
    assert flaw(schema).startswith(text)
