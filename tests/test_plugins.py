"""A driver is one file in a folder."""

import pytest

from edged import plugins

from .conftest import Drop

LANTERN = '''
    """A lantern in the window.

    It is lit by hand.
    """
    raise RuntimeError("imported")
'''


def test_a_file_dropped_into_a_folder_can_be_named(drop_driver: Drop) -> None:
    drop_driver("lights", "lantern", "class Settings:\n    pass\nWICKS = 2")
    assert "lantern" in plugins.names("lights")
    assert "lantern" in plugins.drivers("lights")
    assert plugins.load("lights", "lantern").WICKS == 2


def test_a_file_with_a_leading_underscore_is_a_shared_part(drop_driver: Drop) -> None:
    drop_driver("lights", "_wick", "class Settings: pass")
    assert "_wick" not in plugins.names("lights")
    with pytest.raises(plugins.UnknownPlugin):
        plugins.load("lights", "_wick")


def test_a_file_without_settings_is_no_driver_and_is_not_imported_to_know_it(
    drop_driver: Drop,
) -> None:
    drop_driver("lights", "lantern", LANTERN)
    assert "lantern" in plugins.names("lights")
    assert "lantern" not in plugins.drivers("lights")


def test_an_unknown_name_says_which_one_was_meant(drop_driver: Drop) -> None:
    drop_driver("lights", "lantern", LANTERN)
    with pytest.raises(plugins.UnknownPlugin, match='no "lanten" in lights') as caught:
        plugins.load("lights", "lanten")
    assert caught.value.hint.startswith('did you mean "lantern"? there are: ')
    assert "lantern" in caught.value.hint.partition("there are")[2]


def test_a_name_is_never_a_path() -> None:
    for name in ("..config", "../config", "os.path", ""):
        with pytest.raises(plugins.UnknownPlugin):
            plugins.load("lights", name)


def test_the_caption_is_read_without_importing_the_file(drop_driver: Drop) -> None:
    drop_driver("lights", "lantern", LANTERN)
    assert plugins.caption("lights", "lantern") == "A lantern in the window."


def test_what_is_broken_inside_a_driver_is_not_hidden(drop_driver: Drop) -> None:
    drop_driver("lights", "lantern", LANTERN)
    with pytest.raises(RuntimeError, match="imported"):
        plugins.load("lights", "lantern")
