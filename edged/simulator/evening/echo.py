"""Whether the speaker, which hears its own voice all evening, ever took it for a person's."""

from .answers import answers
from .record import Echo
from .watch import Watch

_STARTED = "input_audio_buffer.speech_started"
_MEASURED = r"(\w+) made our echo -?\d+ dB quieter \[.*erle_db=(-?[\d.]+)"


async def observe(watch: Watch, spoken: int, interrupted: int) -> None:
    """Note what all connections came to, after so many utterances and interruptions by a person.

    Raises `DaemonFailed` when the daemon does not say what became of its echo.
    """
    visits = watch.here.server.visits
    entries = watch.here.server.ledger.entries
    sent = [answer for visit in visits for answer in answers(entries, visit.number)]
    heard = sum(len(watch.events(visit.number, _STARTED)) for visit in visits)
    cut = sum(answer.truncated_ms is not None for answer in sent)
    measured = await watch.here.daemon.says(_MEASURED)
    barge_in = watch.record.barge_in
    by_itself = barge_in is not None and barge_in.silence_ms <= 0
    echo = Echo(
        driver=measured[1],
        louder_db=barge_in.louder_db if barge_in else 0.0,
        answers=len(sent),
        self_interruptions=cut - interrupted + by_itself,
        own_turns=heard - spoken,
        erle_db=float(measured[2]),
    )
    watch.record.echo = echo
    watch.observe(
        "echo",
        echo.self_interruptions == echo.own_turns == 0,
        f"{echo.answers} answers were heard at the microphone, {echo.louder_db:.1f} dB louder than"
        f" the person; {echo.self_interruptions} interrupted themselves, {echo.own_turns} turns"
        f" were taken by its own voice; {echo.driver} made it {echo.erle_db:.0f} dB quieter",
    )
