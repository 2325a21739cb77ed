"""The provider's key, from wherever its owner put it; never written anywhere."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FOLDERS = ("edged_", "edged-encrypted_")
"""What the unit's two folders of credentials put before a name."""
_KEY = re.compile(r"\b(sk-|ek_|xai-)[\w-]{16,}")
"""How the keys of OpenAI, of its clients and of xAI look."""


@dataclass(frozen=True)
class Settings:
    """Where the provider's key is found; the key itself never stands in this file."""

    credential: str = "openai"
    """The name of the systemd credential (`LoadCredential=`), which is looked for first."""
    file: str = ""
    """A file with the key as its only line, readable by its owner alone, is next; "" for none."""
    environment: str = "OPENAI_API_KEY"
    """The environment variable that is looked for last."""

    def __post_init__(self) -> None:
        """Refuse the key itself.

        Raises:
            ValueError: it does not repeat it, as what it says is kept in the journal.

        """
        if any(_KEY.match(text) for text in (self.credential, self.file, self.environment)):
            raise ValueError("the key itself stands here: take it out, and type `edged setup`")


def masked(text: str) -> str:
    """`text` without any key that somebody wrote into it."""
    return _KEY.sub(r"\1...", text)


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
    """The key; raises `NoKey`.

    A place that is there and holds no key is a mistake to be mended: the next is not tried.
    """
    for credential in _credentials(settings, environment):
        if credential.exists():
            return Key(_read(credential, settings), f"credential {settings.credential}")
    if settings.file:
        file = Path(settings.file).expanduser()
        text = _read(file, settings)
        exposed = f"others can read it: chmod 600 {file}" if file.stat().st_mode & 0o077 else ""
        return Key(text, f"file {file}", exposed)
    if text := environment.get(settings.environment, "").strip():
        source = f"environment variable {settings.environment}"
        return Key(
            _checked(text, source, settings),
            source,
            "every process of this user can read the environment: a systemd credential is safer",
        )
    raise NoKey(settings, "there is no key for the provider")


def _credentials(settings: Settings, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where the credential may be.

    The unit loads whole folders, as a file that is missing from one does not keep the speaker from
    starting; systemd then puts the folder's ID before each name (LoadCredential= in
    systemd.exec(5)).
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder or not settings.credential:
        return ()
    names = (f"{identity}{settings.credential}" for identity in ("", *_FOLDERS))
    return tuple(Path(folder, name) for name in names)


def _read(file: Path, settings: Settings) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoKey(settings, f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NoKey(settings, f"{file} holds no key: it is not text") from error
    return _checked(text, str(file), settings)


def _checked(text: str, source: str, settings: Settings) -> str:
    """A key travels in an HTTP header: one word of printable ASCII."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise NoKey(
            settings, f"{source} holds no key: one line of ASCII without spaces is expected"
        )
    return text
