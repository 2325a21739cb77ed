"""The provider's key, from wherever its owner put it; never written anywhere."""

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import home

_FOLDERS = ("edged_", "edged-encrypted_")
"""What the unit's two folders of credentials put before a name."""
_KEY = re.compile(r"\b(sk-|ek_|xai-)[\w-]{16,}")
"""How the keys of OpenAI, of its clients and of xAI look."""
_BARE = re.compile(r"[A-Za-z0-9]{32,}")
"""And Azure's."""
_PASSING = "ek_"
"""How a client secret begins: a key that somebody's server got for this speaker (POST
/v1/realtime/client_secrets), and that opens sessions for two hours at most."""
_PIECE = 10
"""So many characters of a key in one go are a piece of it; all keys may begin with eight."""
_LONGEST = 1 << 16
"""Characters of a file with a key; tokens of Entra ID have some thousands."""
_SHORTEST = 8
"""A key shorter than this is none that anybody must hide, and may be part of any word."""


@dataclass(frozen=True)
class Settings:
    """Where the provider's key is found; the key itself never stands in this file."""

    credential: str = "openai"
    """The name of the systemd credential (`LoadCredential=`), which is looked for first."""
    file: str = ""
    """A file with the key as its only line, readable by its owner alone, is next; "" for none. It
    is read anew for each session."""
    environment: str = "OPENAI_API_KEY"
    """The environment variable that is looked for last."""

    def __post_init__(self) -> None:
        """Refuse the key itself.

        Raises:
            ValueError: it does not repeat it, as what it says is kept in the journal.

        """
        places = self.credential, self.file, self.environment
        if any(_KEY.match(text) or _BARE.fullmatch(text) for text in places):
            raise ValueError("the key itself stands here: take it out, and type `edged setup`")


def masked(text: str) -> str:
    """`text` without any key that somebody wrote into it."""
    return _KEY.sub(r"\1...", text)


def blotted(text: str, secret: str) -> str:
    """`text` without the key `secret` and without any piece of it that is long enough to matter.

    Providers repeat a key in their complaints about it, and what they say is cut at some length.
    """
    size = min(_PIECE, len(secret))
    if size < _SHORTEST or len(text) < size:
        return text
    pieces = {secret[at : at + size] for at in range(len(secret) - size + 1)}
    clean, end, at = [], 0, 0
    while at <= len(text) - size:
        if text[at : at + size] not in pieces:
            at += 1
            continue
        clean += [text[end:at], "[key]"]
        end = at + size
        while end < len(text) and text[end - size + 1 : end + 1] in pieces:
            end += 1
        at = end
    return "".join(clean) + text[end:]


def passing(secret: str) -> str:
    """What to say of a key that was refused and is one of those that run out; "" of any other."""
    if not secret.startswith(_PASSING):
        return ""
    return "it is a client secret, which runs out within two hours: put a fresh one in its place"


@dataclass(frozen=True)
class Key:
    """A key, and where it was found."""

    text: str = field(repr=False)
    source: str
    warning: str = ""
    """What its owner should do to keep it safer; "" for nothing."""


class NoKey(LookupError):
    """No key was found; `hint` says where one can be put, or how the one there is mended."""

    def __init__(self, settings: Settings, detail: str, fix: str = "") -> None:
        super().__init__(detail)
        self.fix = fix
        """What to type, where that is known."""
        self.hint = fix or (
            f"give the service the credential `{settings.credential}`, or set the environment "
            f"variable {settings.environment}, or name a file as `file` in [key]"
        )


def find(settings: Settings, environment: Mapping[str, str] = os.environ) -> Key:
    """The key; raises `NoKey`.

    A place that is there and holds no key is a mistake to be mended: the next is not tried.
    """
    for credential in _credentials(settings, environment):
        if not _absent(credential):
            return Key(_read(credential, settings), f"credential {settings.credential}")
    if settings.file:
        try:
            file = home.path(settings.file)
        except ValueError as error:
            raise NoKey(settings, str(error)) from error
        return Key(_read(file, settings, alone=True), f"file {file}")
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


def _absent(file: Path) -> bool:
    """Whether it is not there; one that may not be looked at is."""
    try:
        file.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)
    return False


def _read(file: Path, settings: Settings, *, alone: bool = False) -> str:
    """What is in it; `alone`: nobody but its owner may read it."""
    try:
        with file.open(encoding="utf-8") as opened:
            if alone and stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                fix = f"chmod 600 {shlex.quote(str(file))}"
                raise NoKey(settings, f"others can read the key in {file}", fix)
            text = opened.read(_LONGEST).strip()
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
