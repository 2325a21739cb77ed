"""The configuration file that lists every setting with its default and a sentence."""

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from . import plugins, schema
from .fields import range_of, sentences

_HEAD = """\
# The configuration of edged: every setting, with its default and what it means.
#
# Lines with a single `#` before a name are defaults: take the `#` away to change one. Settings can
# also stand in files of their own in the folder edged.toml.d beside this file; the last one wins.
# `edged check` says what is wrong, with the line.
"""


def text() -> str:
    """The whole file; reading it gives what reading no file gives."""
    parts = [_HEAD]
    for name, shape in schema.SECTIONS.items():
        section = shape()
        parts.append(_table((name,), section, f"{shape.__doc__}", live=True))
        if name not in schema.FOLDERS:
            continue
        folder = schema.FOLDERS[name]
        chosen = getattr(section, "drivers", None) or (getattr(section, "driver", ""),)
        for driver in sorted(plugins.drivers(folder), key=lambda name: name not in chosen):
            parts.append(_driver(name, driver, live=driver in chosen))
    return "\n".join(parts)


def _driver(section: str, name: str, *, live: bool) -> str:
    folder = schema.FOLDERS[section]
    caption = plugins.caption(folder, name)
    try:
        settings = plugins.load(folder, name).Settings()
    except ImportError as missing:
        told = f"{caption} Its settings can be listed once it can be used here: {missing}"
        return "\n".join([*_wrapped(told), f"# [{section}.{name}]", ""])
    return _table((section, name), settings, caption, live=live)


def _table(
    address: tuple[str, ...], settings: Any, caption: str, *, live: bool, brief: bool = False
) -> str:
    """One table; the header of one that is not `live` is commented out too.

    A `brief` one is like the one before it: only what is not as usual stands there.
    """
    told = sentences(type(settings))
    hints = get_type_hints(type(settings), include_extras=True)
    mark = "" if live else "# "
    lines = [*_wrapped(caption.partition("\n")[0]), f"{mark}[{'.'.join(map(_key, address))}]"]
    inner = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if brief and value == field.default:
            continue
        sentence = told.get(field.name, "")
        here = (*address, field.name)
        if is_dataclass(value):
            inner.append(_table(here, value, sentence, live=False))
        elif isinstance(value, Mapping):
            for number, (key, each) in enumerate(value.items()):
                name = sentence if number == 0 else ""
                inner.append(_table((*here, key), each, name, live=False, brief=number > 0))
        else:
            bounds = range_of(hints[field.name])
            said = f"{sentence.removesuffix('.')} ({bounds})." if bounds else sentence
            lines += [] if brief else _wrapped(said)
            lines.append(f"# {field.name} = {_toml(value)}")
    return "\n".join([*lines, "", *inner])


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, 98, initial_indent="## ", subsequent_indent="## ")


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    return json.dumps(value)
