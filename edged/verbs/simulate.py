"""Be a Realtime server on this machine, for trying edged and testing it without a key."""

import argparse
import asyncio
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

_FAULTS = (
    "refuse",
    "bad-key",
    "no-model",
    "overloaded",
    "rate-limited",
    "modest",
    "quota",
    "busy",
    "mute",
    "malformed",
    "unknown",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens, what it says, what it keeps, and what goes wrong."""
    parser.add_argument(
        "--dialect",
        choices=("openai", "azure", "legacy", "xai"),
        default="openai",
        help="whose shape of the protocol it speaks (default: openai)",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes any (default: 8765)")
    parser.add_argument("--key", help="the only key accepted (default: any)")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="serve wss:// with it")
    parser.add_argument("--private-key", type=Path, metavar="FILE", help="of the certificate")
    speech = parser.add_argument_group("what it says")
    _answers(speech)
    _speech(speech)
    _record(parser.add_argument_group("what it keeps"))
    _trouble(parser.add_argument_group("what goes wrong"))


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted or terminated; 1 when the port is taken or a file is not there."""
    try:
        return asyncio.run(_serve(options))
    except (OSError, OverflowError) as error:
        # Python says the latter of a port that there cannot be.
        print(f"edged: {error}", file=sys.stderr)
        return 1


class _And(argparse.Action):
    """Adds an item to the answer that was named last."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        from ..simulator.server import Items

        answers = namespace.answers
        if not answers:
            parser.error(f"{option_string} needs an --answer or a --call before it")
        last = answers.pop()
        parts = last.parts if isinstance(last, Items) else [last]
        answers.append(Items([*parts, values]))


def _answers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--answer",
        dest="answers",
        action="append",
        default=[],
        metavar="TEXT",
        help="say this; repeat it for the next answers (default: what was heard, and a story)",
    )
    group.add_argument(
        "--call",
        dest="answers",
        action="append",
        type=_call,
        metavar="TOOL[=JSON]",
        help="as an answer, call this tool; in turn with --answer",
    )
    group.add_argument(
        "--and",
        dest="answers",
        action=_And,
        metavar="TEXT",
        help="say this too, as a further item of the answer named last; may be repeated",
    )
    group.add_argument(
        "--and-call",
        dest="answers",
        action=_And,
        type=_call,
        metavar="TOOL[=JSON]",
        help="call this tool too, in the answer named last",
    )


def _speech(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--heard",
        action="append",
        default=[],
        metavar="TEXT",
        help="what the transcription of the next turn says; may be repeated",
    )
    group.add_argument(
        "--voice", choices=("auto", "espeak-ng", "melody"), default="auto", help="of the answers"
    )
    group.add_argument(
        "--detector",
        choices=("auto", "silero", "energy"),
        default="auto",
        help="what hears speech (default: silero where installed)",
    )
    group.add_argument(
        "--pace", type=float, default=4.0, help="times real time; 0 at once (default: 4)"
    )
    group.add_argument(
        "--jitter", type=float, default=0.0, metavar="S", help="each delta is late by up to this"
    )


def _record(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--log", type=Path, metavar="FILE", help="every event, as JSON lines")
    group.add_argument(
        "--keep-audio",
        type=Path,
        metavar="DIR",
        help="session-N-in.pcm and session-N-out.pcm, exactly as on the wire",
    )


def _trouble(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        choices=_FAULTS,
        help="may be repeated",
    )
    group.add_argument(
        "--faulty-sessions", type=int, metavar="N", help="only the first N connections suffer"
    )
    for name, late in (
        ("--connect-delay", "accept the connection so late"),
        ("--created-delay", "send session.created so late"),
        ("--updated-delay", "obey session.update so late"),
    ):
        group.add_argument(name, type=float, default=0.0, metavar="S", help=late)
    group.add_argument(
        "--drop-after", type=int, metavar="MS", help="break off after so much of an answer"
    )
    group.add_argument(
        "--session-length", type=float, default=3600.0, metavar="S", help="(default: 3600)"
    )


def _call(told: str) -> object:
    from ..simulator.server import Call

    name, _, arguments = told.partition("=")
    return Call(name, arguments or "{}")


async def _serve(options: argparse.Namespace) -> int:
    from ..simulator.server import Faults, Options, serve

    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate, options.private_key)
    switches: dict[str, Any] = {name.replace("-", "_"): True for name in options.faults}
    status = 429 if switches.pop("rate_limited", False) else 0
    status = 503 if switches.pop("overloaded", False) else status
    faults = Faults(
        http_status=status,
        connect_delay_s=options.connect_delay,
        created_delay_s=options.created_delay,
        updated_delay_s=options.updated_delay,
        drop_after_ms=options.drop_after,
        **switches,
    )
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    server = await serve(
        Options(
            dialect=options.dialect,
            port=options.port,
            tls=tls,
            key=options.key,
            answers=options.answers,
            heard=options.heard,
            voice=options.voice,
            detector=options.detector,
            pace=options.pace,
            jitter_s=options.jitter,
            session_s=options.session_length,
            log=options.log,
            audio_directory=options.keep_audio,
            faults=faults,
            faulty_sessions=options.faulty_sessions,
        )
    )
    async with server:
        print(f"listening on {server.url}", flush=True)
        await end.wait()
    return 0
