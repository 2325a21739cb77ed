"""What a person can type: `edged VERB`, where each verb is a file in `verbs`."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from . import __version__, plugins
from .config import ConfigError

FAILED = 1
"""Exit status of a command that could not do what it was asked."""
MISCONFIGURED = 78
"""Exit status for a configuration mistake: EX_CONFIG of sysexits.h, so that the unit can name it in
`RestartPreventExitStatus=`; starting again would not mend the file."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What only comes of writing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status; 2 is argparse's for a wrong command line."""
    # Our matrices are small: numpy's own threads would only cost memory, and read this at import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = _typed(given)
        _be_lenient()
        status: int = options.run(options)
        print(end="", flush=True)
    except BrokenPipeError:
        # Whoever read our output has left (`edged devices | head`); nothing more can be said.
        _leave_unsaid()
        return FAILED
    except (KeyboardInterrupt, EOFError):
        # EOFError: whoever was asked something left with Ctrl-D.
        return 130
    except ConfigError as error:
        return _complain(str(error), error.hint, MISCONFIGURED)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _leave_unsaid()
            what = f"edged: cannot write: {os.strerror(error.errno)}"
            what += f": {error.filename}" if error.filename else ""
            return _complain(what, "make room, or write to somewhere else", FAILED)
        hint = getattr(error, "hint", None)
        if hint is None:
            raise
        status = MISCONFIGURED if getattr(error, "mistake", False) else FAILED
        return _complain(f"edged: {error}", hint, status)
    return status


def _be_lenient() -> None:
    """Let letters that a terminal cannot show, or did not type as such, cost no more than that."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def _leave_unsaid() -> None:
    """Python tries to write what is left when it ends, and would complain once more."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _typed(given: Sequence[str]) -> argparse.Namespace:
    parser = _parser(given)
    if not given:
        parser.exit(2, parser.format_help())
    try:
        return parser.parse_args(given)
    finally:
        # Help that was asked for is output like any other.
        print(end="", flush=True)


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Only the verb that was typed is imported: the others give their captions unread."""
    parser = argparse.ArgumentParser(prog="edged", description="A headless smart speaker.")
    parser.add_argument("--version", action="version", version=f"edged {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    typed = next((word for word in given if not word.startswith("-")), None)
    for name in plugins.names("verbs"):
        caption = plugins.caption("verbs", name)
        verb = verbs.add_parser(name, help=caption.replace("%", "%%"), description=caption)
        if name == typed:
            module = plugins.load("verbs", name)
            module.arguments(verb)
            verb.set_defaults(run=module.run)
    return parser


def _complain(what: str, hint: str, status: int) -> int:
    from . import journal, service

    if journal.not_started(what, hint):
        service.open().status(f"not started: {what}")
    else:
        print(what, f"({hint})", sep="\n", file=sys.stderr)
    return status
