"""The provider's key, from wherever its owner put it; never written anywhere."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where the provider's key is found; the key itself never stands in this file."""

    credential: str = "openai"
    """The name of the systemd credential (`LoadCredential=`), which is looked for first."""
    environment: str = "OPENAI_API_KEY"
    """The environment variable that is looked for next."""
    file: str = ""
    """A file that only its owner may read, with the key as its only line; "" for none."""


@dataclass(frozen=True)
class Key:
    """A key, and where it was found."""

    text: str = field(repr=False)
    source: str
    warning: str = ""
    """What its owner should do to keep it safer; "" for nothing."""


class NoKey(LookupError):
    """No key was found; `hint` says where one can be put."""

    def __init__(self, settings: Settings, detail: str) -> None:
        super().__init__(detail)
        self.hint = (
            f"give the service the credential `{settings.credential}`, or set the environment "
            f"variable {settings.environment}, or name a file as `file` in [key]"
        )


def find(settings: Settings, environment: Mapping[str, str] = os.environ) -> Key:
    """The key; raises `NoKey`."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if folder and settings.credential:
        credential = Path(folder) / settings.credential
        if credential.exists():
            return Key(_read(credential, settings), f"credential {settings.credential}")
    if text := environment.get(settings.environment, "").strip():
        return Key(
            text,
            f"environment variable {settings.environment}",
            "every process of this user can read the environment: a systemd credential is safer",
        )
    if settings.file:
        file = Path(settings.file).expanduser()
        text = _read(file, settings)
        mode = file.stat().st_mode
        exposed = f"others can read it: chmod 600 {file}" if mode & 0o077 else ""
        return Key(text, f"file {file}", exposed)
    raise NoKey(settings, "there is no key for the provider")


def _read(file: Path, settings: Settings) -> str:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise NoKey(settings, f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NoKey(settings, f"{file} holds no key: it is not ASCII text") from error
    if not text or text.split() != [text]:
        raise NoKey(settings, f"{file} holds no key: one line without spaces is expected")
    return text
