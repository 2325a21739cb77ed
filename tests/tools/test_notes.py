"""Notes: what people want to be remembered."""

from pathlib import Path

import pytest

from edged.store import Store
from edged.tools import notes
from edged.tools._tool import Kit
from edged.tools.notes import Settings

from .stand import Stand, asked


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def opened(stand: Stand, settings: Settings | None = None) -> Kit:
    return notes.open(settings or Settings(), stand.reach())


def test_a_note_is_told_to_the_model_in_every_session_to_come(stand: Stand) -> None:
    kit = opened(stand)
    assert kit.instructions() == ""
    told = asked(kit, "remember", text="Anna is allergic\nto  nuts.")
    assert told == {"remembered": "Anna is allergic to nuts."}
    asked(kit, "remember", text="The bins are put out on Tuesday.")
    for life in (kit, opened(stand)):
        assert life.instructions().endswith(
            ":\n- Anna is allergic to nuts.\n- The bins are put out on Tuesday."
        )
        assert asked(life, "recall") == {
            "notes": ["Anna is allergic to nuts.", "The bins are put out on Tuesday."]
        }


def test_the_same_is_remembered_once(stand: Stand) -> None:
    kit = opened(stand)
    for _ in range(2):
        asked(kit, "remember", text="The bins.")
    assert asked(kit, "recall") == {"notes": ["The bins."]}


@pytest.mark.parametrize("text", ["", " \n ", "x" * 201, "a\u0000b", "a\u202eb"])
def test_what_is_no_sentence_is_not_remembered(stand: Stand, text: str) -> None:
    kit = opened(stand)
    assert "a sentence of up to 200 characters" in asked(kit, "remember", text=text)["error"]
    assert kit.instructions() == ""


@pytest.mark.parametrize(
    "text", ["Reza \u0645\u06cc\u200c\u0622\u06cc\u062f.", "\u0915\u094d\u200d\u0937"]
)
def test_what_joins_and_parts_letters_is_part_of_a_language(stand: Stand, text: str) -> None:
    assert asked(opened(stand), "remember", text=text) == {"remembered": text}


@pytest.mark.parametrize("settings", [Settings(items=3), Settings(all_characters=24)])
def test_there_is_an_end_to_them(stand: Stand, settings: Settings) -> None:
    kit = opened(stand, settings)
    for number in range(3):
        asked(kit, "remember", text=f"Note {number}.")
    told = asked(kit, "remember", text="One too many.")
    assert told["error"].endswith("there is no room for more: the user must let go of a note first")
    asked(kit, "forget", text="note 1")
    assert "remembered" in asked(kit, "remember", text="Not now.")


def test_who_lowers_the_limits_is_told_the_newest(stand: Stand) -> None:
    kit = opened(stand)
    for number in range(5):
        asked(kit, "remember", text=f"Note {number}.")
    assert opened(stand, Settings(items=2)).instructions().endswith(":\n- Note 3.\n- Note 4.")
    assert (
        opened(stand, Settings(all_characters=20))
        .instructions()
        .endswith(":\n- Note 3.\n- Note 4.")
    )
    assert len(asked(opened(stand), "recall")["notes"]) == 5


def test_a_note_is_forgotten_by_a_part_of_it(stand: Stand) -> None:
    kit = opened(stand)
    for text in ("Tea at four.", "Tea at five.", "Tea"):
        asked(kit, "remember", text=text)
    told = asked(kit, "forget", text="tea at")["error"]
    assert told.endswith('say which note; there are: ["Tea at four.", "Tea at five."]')
    assert asked(kit, "forget", text="FOUR") == {"forgotten": ["Tea at four."]}
    assert asked(kit, "forget", text="tea") == {"forgotten": ["Tea"]}
    assert "there are: [" in asked(kit, "forget", text="coffee")["error"]
    assert "there are: [" in asked(kit, "forget")["error"]
    assert asked(opened(stand), "recall") == {"notes": ["Tea at five."]}


def test_all_are_forgotten_at_a_word(stand: Stand) -> None:
    kit = opened(stand)
    for text in ("One.", "Two."):
        asked(kit, "remember", text=text)
    assert asked(kit, "forget", every=True) == {"forgotten": ["One.", "Two."]}
    assert opened(stand).instructions() == ""


def test_a_disk_that_refuses_costs_only_what_comes_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    stand = Stand(tmp_path)
    stand.store = Store(tmp_path / "in the way" / "state", stand.warnings.append)
    kit = opened(stand)
    assert "remembered" in asked(kit, "remember", text="The bins.")
    assert kit.instructions().endswith("- The bins.")
    assert len(stand.warnings) == 1 + 1, "one of reading, one of saving"
