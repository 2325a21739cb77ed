"""Where the provider's key may be, and what is said when it is nowhere."""

from pathlib import Path

import pytest

from edged import key

SETTINGS = key.Settings()


def test_the_credential_comes_first(tmp_path: Path) -> None:
    (tmp_path / "openai").write_text("sk-credential\n")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "OPENAI_API_KEY": "sk-environment"}
    found = key.find(SETTINGS, environment)
    assert (found.text, found.source, found.warning) == ("sk-credential", "credential openai", "")


def test_then_the_environment_with_a_warning(tmp_path: Path) -> None:
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "OPENAI_API_KEY": " sk-environment "}
    found = key.find(SETTINGS, environment)
    assert found.text == "sk-environment"
    assert "systemd credential" in found.warning


def test_then_a_file_with_a_warning_when_others_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-file\n")
    file.chmod(0o600)
    assert key.find(key.Settings(file=str(file)), {}) == key.Key("sk-file", f"file {file}")
    file.chmod(0o644)
    assert "chmod 600" in key.find(key.Settings(file=str(file)), {}).warning


@pytest.mark.parametrize("text", ["", "\n", "two words", "one\ntwo\n", "sk-ä"])
def test_a_file_that_holds_something_else_is_no_key(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(key.NoKey, match="holds no key"):
        key.find(key.Settings(file=str(file)), {})


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(key.NoKey, match="cannot be read: No such file"):
        key.find(key.Settings(file=str(tmp_path / "gone")), {})


def test_no_key_anywhere_says_where_one_can_be_put() -> None:
    with pytest.raises(key.NoKey) as caught:
        key.find(SETTINGS, {})
    assert "OPENAI_API_KEY" in caught.value.hint


def test_a_key_is_never_shown() -> None:
    found = key.find(SETTINGS, {"OPENAI_API_KEY": "sk-secret"})
    assert "sk-secret" not in repr(found)
