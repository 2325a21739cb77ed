"""What nobody means to write in a configuration is told like any mistake, and ends no speaker."""

from pathlib import Path

import pytest

from edged import config, schema

DEEP = "[" * 3000 + "]" * 3000
DIGITS = "1" * 5000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edged.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[volume]\ndb = {DEEP}", "is not TOML: it is nested too deeply"),
        (f"[volume]\ndb = {DIGITS}", "is not TOML: a number in it has more than 4300 digits"),
        (
            f"[sound]\nframe_ms = 0x{'f' * 5000}",
            "2: sound.frame_ms: expected a whole number, 20 to 100, not something too long to show",
        ),
        (
            f"[volume]\ndb = [{{a{'.a' * 3000} = 1}}]",
            "2: volume.db: expected a number, -60 to 0, not ",
        ),
    ],
)
def test_what_is_beyond_all_measure_is_a_mistake(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    assert message in str(mistaken.value)


def test_two_layers_may_both_be_nested_too_deeply(file: Path) -> None:
    file.write_text(f"volume{'.a' * 3000} = 1")
    with pytest.raises(config.ConfigError, match="a: is no setting of"):
        schema.read(file, [f"volume{'.a' * 3000}=2"])


@pytest.mark.parametrize("value", [DEEP, DIGITS])
def test_an_assignment_beyond_all_measure_is_a_mistake(file: Path, value: str) -> None:
    file.touch()
    with pytest.raises(config.ConfigError, match=r"volume\.db: expected a number"):
        schema.read(file, [f"volume.db={value}"])
