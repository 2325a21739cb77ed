"""How JSON values are checked, and the words in which a Realtime server refuses them."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
"""Raises `Refusal` when a value, found at a path such as `session.tools[0].name`, is wrong."""

_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class Refusal(Exception):
    """A client event that is not obeyed; becomes an `error` event and changes nothing.

    `code` is one of the published ones or None, `param` the path of what was wrong.
    """

    def __init__(self, code: str | None, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


def anything(value: Any, at: str) -> None:
    """Accept every value."""


def text(most: int | None = None) -> Check:
    """A string, of at most `most` characters."""

    def check(value: Any, at: str) -> None:
        _expect(value, str, "a string", at)
        if most is not None and len(value) > most:
            raise Refusal(
                "string_above_max_length",
                f"Invalid '{at}': string too long. Expected a string with maximum length {most}, "
                f"but got a string with length {len(value)} instead.",
                at,
            )

    return check


def flag(value: Any, at: str) -> None:
    """A boolean."""
    _expect(value, bool, "a boolean", at)


def integer(low: int, high: int) -> Check:
    """A whole number from `low` to `high`."""

    def check(value: Any, at: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(value, "an integer", at)
        _within(value, low, high, at)

    return check


def number(low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(value: Any, at: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, "a decimal", at)
        _within(value, low, high, at)

    return check


def choice(*values: str) -> Check:
    """One of a few strings."""

    def check(value: Any, at: str) -> None:
        _expect(value, str, "a string", at)
        if value not in values:
            raise _unsupported(value, values, at)

    return check


def nullable(inner: Check) -> Check:
    """null, or what `inner` accepts."""

    def check(value: Any, at: str) -> None:
        if value is not None:
            inner(value, at)

    return check


def either(kinds: Mapping[type, Check], words: str) -> Check:
    """Whatever the check for the value's JSON type accepts; `words` say what is expected."""

    def check(value: Any, at: str) -> None:
        if type(value) not in kinds:
            raise _wrong_type(value, words, at)
        kinds[type(value)](value, at)

    return check


def listing(inner: Check, least: int = 0, most: int | None = None) -> Check:
    """An array of what `inner` accepts."""

    def check(value: Any, at: str) -> None:
        _expect(value, list, "an array", at)
        if len(value) < least or (most is not None and len(value) > most):
            limit = f"at least {least}" if len(value) < least else f"at most {most}"
            raise Refusal("invalid_value", f"Invalid '{at}': expected {limit} elements.", at)
        for index, element in enumerate(value):
            inner(element, f"{at}[{index}]")

    return check


def strings(pairs: int, key_length: int, value_length: int) -> Check:
    """An object of strings with limits: what `metadata` is."""

    def check(value: Any, at: str) -> None:
        _expect(value, dict, "an object", at)
        if len(value) > pairs:
            raise Refusal("invalid_value", f"Invalid '{at}': more than {pairs} pairs.", at)
        for key, told in value.items():
            text(key_length)(key, at)
            text(value_length)(told, _join(at, key))

    return check


def table(value: Any, at: str) -> None:
    """Any object."""
    _expect(value, dict, "an object", at)


def record(
    optional: Mapping[str, Check] | None = None, required: Mapping[str, Check] | None = None
) -> Check:
    """An object with these members and no others."""
    needed = required or {}
    known = {**(optional or {}), **needed}

    def check(value: Any, at: str) -> None:
        _expect(value, dict, "an object", at)
        for name in needed:
            if name not in value:
                raise _missing(_join(at, name))
        for name, member in value.items():
            path = _join(at, name)
            if name not in known:
                raise Refusal("unknown_parameter", f"Unknown parameter: '{path}'.", path)
            known[name](member, path)

    return check


def tagged(tag: str, kinds: Mapping[str, Check]) -> Check:
    """An object whose member `tag` says which of `kinds` it is."""

    def check(value: Any, at: str) -> None:
        _expect(value, dict, "an object", at)
        path = _join(at, tag)
        if tag not in value:
            raise _missing(path)
        choice(*kinds)(value[tag], path)
        kinds[value[tag]](value, at)

    return check


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _expect(value: Any, kind: type, words: str, at: str) -> None:
    if not isinstance(value, kind):
        raise _wrong_type(value, words, at)


def _wrong_type(value: Any, words: str, at: str) -> Refusal:
    got = _KINDS.get(type(value), "something else")
    return Refusal(
        "invalid_type", f"Invalid type for '{at}': expected {words}, but got {got} instead.", at
    )


def _missing(at: str) -> Refusal:
    return Refusal("missing_required_parameter", f"Missing required parameter: '{at}'.", at)


def _unsupported(value: str, values: tuple[str, ...], at: str) -> Refusal:
    supported = ", ".join(f"'{one}'" for one in values)
    return Refusal(
        "invalid_value", f"Invalid value: '{value}'. Supported values are: {supported}.", at
    )


def _within(value: float, low: float, high: float, at: str) -> None:
    if not low <= value <= high:
        raise Refusal(
            "invalid_value",
            f"Invalid '{at}': expected a value from {low} to {high}, but got {value} instead.",
            at,
        )
