"""Where a file is that somebody named as they would in a shell."""

from pathlib import Path


def path(named: str) -> Path:
    """The file; `~/` begins the path of one in our own home, `~ada/` of one in Ada's.

    Raises ValueError where nobody is called that, or we have no home.
    """
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        whose = named.partition("/")[0].removeprefix("~")
        why = f"nobody here is called {whose}" if whose else "this user has no home"
        raise ValueError(f"{named}: {why}") from error
