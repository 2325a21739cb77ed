"""Every moment the core waits for, behind one `deadline()`."""

from enum import StrEnum


class Timer(StrEnum):
    """What can run out."""

    WAKING = "waking"
    """The greeting is over."""
    CONNECT = "connect"
    """The line should be ready by now."""
    RETRY = "retry"
    """A line that broke is to be opened once more."""
    ROTATE = "rotate"
    """The session is to be replaced by a fresh one."""
    PAY = "pay"
    """The time on the line is to be booked."""
    HINTED = "hinted"
    """Nobody who may have been about to wake the speaker has."""
    PAUSE = "pause"
    """A session may be opened in advance again."""
    CLOSE = "close"
    """The line should be gone by now."""
    FOLLOW_UP = "follow_up"
    """Nobody went on talking."""
    LONGEST = "longest"
    """The conversation has lasted long enough."""
    ANSWER = "answer"
    """The answer should have begun, or gone on, by now."""
    UTTERANCE = "utterance"
    """One utterance has lasted long enough."""
    EVIDENCE = "evidence"
    """Somebody has been heard over the answer for long enough."""
    HUSHED = "hushed"
    """The loudspeaker should have told where it stopped."""
    OVERDUE = "overdue"
    """An answer that nobody wants should be done."""
    ASK_AGAIN = "ask_again"
    """An answer that failed is to be asked for once more."""
    APPROVAL = "approval"
    """Nobody has pressed a button for the tool that waits for it."""
    RING = "ring"
    """What rings is to sound again."""
    SETTLED = "settled"
    """The volume has been left alone for a while."""
    REFUSED = "refused"
    """A provider that would have none of us may be tried again."""
    TROUBLE = "trouble"
    """The trouble has been shown long enough."""
    MICROPHONE = "microphone"
    """A frame of room sound should have come by now."""


class Timers:
    """A set of named alarms."""

    def __init__(self) -> None:
        self._at: dict[Timer, float] = {}

    def start(self, timer: Timer, at: float) -> None:
        """Let `timer` run out at `at`; one that already runs is moved."""
        self._at[timer] = at

    def stop(self, *timers: Timer) -> None:
        """Forget `timers`."""
        for timer in timers:
            self._at.pop(timer, None)

    def running(self, timer: Timer) -> bool:
        """Whether `timer` has been started and has neither run out nor been stopped."""
        return timer in self._at

    def nothing_but(self, timer: Timer) -> bool:
        """Whether none runs, or only that one."""
        return self._at.keys() <= {timer}

    def due(self, now: float) -> Timer | None:
        """The timer that ran out first, taken out of the set; None when none has."""
        ripe = [(at, timer) for timer, at in self._at.items() if at <= now]
        if not ripe:
            return None
        timer = min(ripe)[1]
        del self._at[timer]
        return timer

    def deadline(self) -> float | None:
        """When the next timer runs out."""
        return min(self._at.values(), default=None)
