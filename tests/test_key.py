"""The key: where it is found, in which order, and that nothing ever shows it."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from edged import key, schema
from edged.config import ConfigError
from edged.key import NoKey, Settings

from .closed import closed

SECRET = "sk-proj-abcdefghijklmnop"
PASSING = "ek_68af296e8e408191a1120ab6383263c2"
AZURE = "0123456789abcdef" * 2


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """As systemd hands them to a service."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A key file as it should be."""
    file = tmp_path / "key"
    file.write_text("sk-from-the-file\n")
    file.chmod(0o600)
    return file


def test_a_credential_comes_before_a_file_and_a_file_before_the_environment(
    credentials: Path, file: Path
) -> None:
    settings = Settings(file=str(file))
    environment = {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "OPENAI_API_KEY": "sk-from-the-environment",
    }
    (credentials / "openai").write_text(SECRET + "\n")
    found = key.find(settings, environment)
    assert (found.text, found.source, found.warning) == (SECRET, "credential openai", "")
    (credentials / "openai").unlink()
    found = key.find(settings, environment)
    assert (found.text, found.source, found.warning) == ("sk-from-the-file", f"file {file}", "")
    found = key.find(Settings(), environment)
    assert found.text == "sk-from-the-environment"
    assert found.source == "environment variable OPENAI_API_KEY"
    assert "a systemd credential is safer" in found.warning


def test_a_folder_of_credentials_is_read_by_the_names_systemd_gives(credentials: Path) -> None:
    (credentials / "edged_azure").write_text(SECRET)
    found = key.find(Settings(credential="azure"), {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert found.text == SECRET


def test_nothing_that_prints_a_key_shows_it() -> None:
    found = key.find(Settings(), {"OPENAI_API_KEY": SECRET})
    for shown in (
        repr(found),
        str(found),
        f"{found}",
        str([found]),
        repr(vars(NoKey(Settings(), ""))),
    ):
        assert SECRET not in shown
        assert "abcdef" not in shown
    assert dataclasses.is_dataclass(found)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o666, 0o602])
def test_a_file_that_others_can_read_is_refused_with_what_to_type(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(NoKey, match=f"others can read the key in {file}") as refused:
        key.find(Settings(file=str(file)), {"OPENAI_API_KEY": SECRET})
    assert refused.value.hint == refused.value.fix == f"chmod 600 {file}"
    file.chmod(0o400)
    assert key.find(Settings(file=str(file)), {}).text == "sk-from-the-file"


def test_what_to_type_can_be_typed_whatever_the_file_is_called(tmp_path: Path) -> None:
    file = tmp_path / "my key; rm"
    file.write_text(SECRET)
    file.chmod(0o644)
    with pytest.raises(NoKey) as refused:
        key.find(Settings(file=str(file)), {})
    subprocess.run(["/bin/sh", "-c", refused.value.fix], check=True, timeout=10)
    assert key.find(Settings(file=str(file)), {}).text == SECRET


def test_a_client_secret_is_a_key_that_runs_out(file: Path) -> None:
    file.write_text(PASSING)
    assert key.find(Settings(file=str(file)), {}).text == PASSING
    assert "put a fresh one" in key.passing(PASSING)
    assert key.passing(SECRET) == ""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Incorrect key: {SECRET}. You can find", "Incorrect key: [key]. You can find"),
        (f"two of them: {SECRET}{SECRET}", "two of them: [key][key]"),
        (f"cut off: {SECRET[:17]}", "cut off: [key]"),
        (f"the end of it: ...{SECRET[-11:]}!", "the end of it: ...[key]!"),
        (f"quoted: '{SECRET}'", "quoted: '[key]'"),
        ("Incorrect key: sk-proj-****mnop.", "Incorrect key: sk-proj-****mnop."),
        ("all begin with sk-proj-", "all begin with sk-proj-"),
        ("", ""),
    ],
)  # fmt: skip
def test_no_piece_of_it_is_left_in_what_others_say(said: str, shown: str) -> None:
    assert key.blotted(said, SECRET) == shown


def test_a_word_that_stands_for_no_key_is_left_as_it_is() -> None:
    assert key.blotted("none of these", "none") == "none of these"
    assert key.blotted("nothing to hide", "") == "nothing to hide"
    assert key.blotted("by sk-short", "sk-short") == "by [key]"


def test_no_key_says_where_one_can_be_put(credentials: Path) -> None:
    for environment in ({}, {"OPENAI_API_KEY": " "}, {"CREDENTIALS_DIRECTORY": str(credentials)}):
        with pytest.raises(NoKey, match="there is no key") as missing:
            key.find(Settings(), environment)
        for place in ("credential `openai`", "OPENAI_API_KEY", "`file` in [key]"):
            assert place in missing.value.hint


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfe", "sk-schlüssel".encode(), b"sk\0"],
)
def test_a_file_with_something_else_in_it_is_a_mistake(file: Path, rubbish: bytes) -> None:
    file.write_bytes(rubbish)
    with pytest.raises(NoKey, match="holds no key") as mistaken:
        key.find(Settings(file=str(file)), {"OPENAI_API_KEY": SECRET})
    assert "schl" not in str(mistaken.value)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(NoKey, match="cannot be read: No such file"):
        key.find(Settings(file=str(tmp_path / "nowhere")), {"OPENAI_API_KEY": SECRET})


def test_credentials_that_may_not_be_looked_at_are_a_mistake(credentials: Path) -> None:
    environment = {"CREDENTIALS_DIRECTORY": str(credentials), "OPENAI_API_KEY": SECRET}
    with closed(credentials), pytest.raises(NoKey, match="cannot be read: Permission denied"):
        key.find(Settings(), environment)


def test_a_file_in_the_home_of_nobody_is_a_mistake() -> None:
    with pytest.raises(NoKey, match="nobody here is called nosuch"):
        key.find(Settings(file="~nosuch/key"), {"OPENAI_API_KEY": SECRET})


def test_an_environment_with_something_else_in_it_is_a_mistake() -> None:
    with pytest.raises(NoKey, match="OPENAI_API_KEY holds no key"):
        key.find(Settings(), {"OPENAI_API_KEY": "paste your key here"})


@pytest.mark.parametrize(
    "written",
    [
        f'[key]\nfile = "{SECRET}"',
        f'[key]\ncredential = "{SECRET}"',
        f'[key]\nenvironment = "{SECRET}"',
        f'[key]\nfile = ["{SECRET}"]',
        f'key = "{SECRET}"',
        f'[session]\nmodel = ["Bearer {SECRET}"]',
        f'[key]\nfile = "{PASSING}abcdef"',
        f'[key]\ncredential = "{AZURE}"',
    ],
)
def test_one_that_stands_in_the_configuration_is_a_mistake_that_shows_it_to_nobody(
    tmp_path: Path, written: str
) -> None:
    """The journal would keep it, and whoever may read the journal have it."""
    file = tmp_path / "edged.toml"
    file.write_text(written)
    with pytest.raises(ConfigError) as mistaken:
        schema.read(file)
    assert "abcdef" not in str(mistaken.value)
    assert AZURE[:12] not in str(mistaken.value)


def test_a_file_may_be_called_like_a_key() -> None:
    assert Settings(file="/home/me/sk-key", credential="sk-kitchen").file == "/home/me/sk-key"
