"""Settings changed in a file that somebody wrote by hand: nothing of theirs is lost."""

import errno
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import template
from edged.amend import Unamendable, Value, amended, save, toml

BY_HAND = """\
# My kitchen.
[conversation]
follow_up_s = 12   # we are slow  # really

[sound.portaudio]      # the USB one
microphone = "Old # name"  # not the webcam
# speaker = ""

[lights]
drivers = [
  "gpio",   # the ring
  "console",
]
# [wake.openwakeword.words.hey_jarvis]
# threshold = 0.5
# [lights.gpio]
# kind = "rgb"
"""


@pytest.mark.parametrize(
    ("address", "value", "before", "after"),
    [
        (
            "sound.portaudio.microphone",
            "USB",
            'microphone = "Old # name"  # not the webcam',
            'microphone = "USB"  # not the webcam',
        ),
        (
            "conversation.follow_up_s",
            5.5,
            "follow_up_s = 12   # we are slow  # really",
            "follow_up_s = 5.5   # we are slow  # really",
        ),
        ("sound.portaudio.speaker", "Jabra", '# speaker = ""', 'speaker = "Jabra"'),
        (
            "sound.portaudio.channel",
            1,
            "[sound.portaudio]      # the USB one",
            "[sound.portaudio]      # the USB one\nchannel = 1",
        ),
        (
            "lights.drivers",
            ("apa102",),
            'drivers = [\n  "gpio",   # the ring\n  "console",\n]',
            'drivers = ["apa102"]',
        ),
        (
            "wake.openwakeword.words.hey_jarvis",
            {},
            "# [wake.openwakeword.words.hey_jarvis]",
            "[wake.openwakeword.words.hey_jarvis]",
        ),
        (
            "wake.openwakeword.words.hey_jarvis.threshold",
            0.35,
            "# [wake.openwakeword.words.hey_jarvis]\n# threshold = 0.5",
            "[wake.openwakeword.words.hey_jarvis]\nthreshold = 0.35",
        ),
        (
            "lights.gpio.kind",
            "led",
            '# [lights.gpio]\n# kind = "rgb"',
            '[lights.gpio]\nkind = "led"',
        ),
    ],
)
def test_only_what_is_meant_changes(address: str, value: Value, before: str, after: str) -> None:
    assert before in BY_HAND
    assert amended(BY_HAND, address.split("."), value) == BY_HAND.replace(before, after)


def test_a_table_that_is_nowhere_comes_last() -> None:
    assert amended("a = 1", ["wake", "driver"], "button") == 'a = 1\n\n[wake]\ndriver = "button"\n'
    assert amended("", ["wake", "driver"], "button") == '[wake]\ndriver = "button"\n'


def test_a_table_that_is_there_already_is_left_alone() -> None:
    text = "[wake.openwakeword.words.alexa]\nthreshold = 0.4\n"
    assert amended(text, ["wake", "openwakeword", "words", "alexa"], {}) == text


@pytest.mark.parametrize(
    "text",
    [
        "wake = {driver = 'openwakeword'}\n",
        "sound.portaudio = {microphone = 'x'}\nwake = {driver = 'a', b = 1}\n",
    ],
)
def test_what_is_written_in_one_line_is_the_owners(text: str) -> None:
    with pytest.raises(Unamendable) as refused:
        amended(text, ["wake", "driver"], "button")
    assert refused.value.hint == 'write it by hand: driver = "button" in [wake]'


def test_a_comment_with_a_strange_line_break_stays_one() -> None:
    text = "a = 1 # one\u2028two\u0085three\n"
    assert amended(text, ["b", "c"], 2) == text + "\n[b]\nc = 2\n"


def test_a_text_that_is_no_toml_is_not_touched() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        amended("[wake\n", ["wake", "driver"], "button")


def test_the_template_takes_everything_that_setup_writes() -> None:
    text = template.text()
    wishes: dict[str, Value] = {
        "provider.openai.url": "wss://elsewhere/v1/realtime",
        "sound.portaudio.microphone": "a",
        "sound.portaudio.speaker": "b",
        "wake.driver": "openwakeword",
        "wake.openwakeword.words.alexa": {},
        "lights.drivers": ["gpio"],
        "lights.gpio.kind": "pwm",
        "lights.gpio.pin": 18,
        "buttons.drivers": ["gpio"],
        "buttons.gpio.wired.talk.pin": 4,
        "key.file": "/k",
    }
    before = text
    for address, value in wishes.items():
        text = amended(text, address.split("."), value)
        found: Any = tomllib.loads(text)
        for key in address.split("."):
            found = found[key]
        assert found == value
    # Each took the place of its default; the word that has none is new.
    kept = [row for row in before.splitlines() if row.startswith("##")]
    assert [row for row in text.splitlines() if row.startswith("##")] == kept
    assert len(text.splitlines()) == len(before.splitlines()) + 2


def test_a_full_disk_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(BY_HAND)
    room = iter([True, False])
    whole = os.fsync

    def fsync(handle: int) -> None:
        if not next(room):
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        save(file, "[volume]\n")
    assert [each.read_text() for each in tmp_path.iterdir()] == [BY_HAND]


_keys = st.sampled_from(["a", "b", "long-key", "with space", "ü"])
_plain = st.one_of(st.text(max_size=8), st.integers(-9, 9), st.booleans())


@given(
    st.dictionaries(_keys, st.dictionaries(_keys, _plain, max_size=3), max_size=3),
    _keys,
    _keys,
    _plain,
)
def test_whatever_stands_there_only_that_setting_changes(
    values: dict[str, dict[str, Any]], table: str, key: str, value: str | int | bool
) -> None:
    rows = []
    for name, inner in values.items():
        rows.append(f"[{json.dumps(name)}] # table")
        rows += [f"{json.dumps(k)} = {toml(v)} # {k}" for k, v in inner.items()]
    changed = amended("\n".join(rows), [table, key], value)
    assert tomllib.loads(changed) == values | {table: values.get(table, {}) | {key: value}}
    kept = [row for row in rows if not row.startswith(json.dumps(key))]
    assert [row for row in changed.splitlines() if row in kept] == kept
