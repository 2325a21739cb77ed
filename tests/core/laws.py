"""What holds for a speaker at every moment, checked from outside after every event."""

from edged.core import commands as do
from edged.core import events as ev
from edged.core.assistant import Assistant
from edged.core.machines import Link, Turn
from edged.core.scenes import Look, Scene
from edged.core.settings import Conversation
from edged.core.timers import Timer

_ON_THE_LINE = {
    Scene.LISTENING,
    Scene.HEARING,
    Scene.THINKING,
    Scene.SPEAKING,
    Scene.WORKING,
}
_BOUNDS = {
    Turn.QUIET: Timer.FOLLOW_UP,
    Turn.HEARING: Timer.UTTERANCE,
    Turn.THINKING: Timer.ANSWER,
    Turn.SPEAKING: Timer.ANSWER,
}
_PREROLL_MS = 160
_OF_A_LINE = {
    Timer.CONNECT,
    Timer.CLOSE,
    Timer.FOLLOW_UP,
    Timer.LONGEST,
    Timer.ANSWER,
    Timer.UTTERANCE,
    Timer.HUSHED,
    Timer.EVIDENCE,
    Timer.OVERDUE,
    Timer.APPROVAL,
    Timer.ASK_AGAIN,
    Timer.ROTATE,
    Timer.PAY,
}


class Laws:
    """A witness who keeps the books of one speaker and objects to every breach."""

    def __init__(self, policy: Conversation, wire_rate: int, *, detects_turns: bool = True) -> None:
        self._policy = policy
        self._detects_turns = detects_turns
        self._wire_rate = wire_rate
        self.line = "down"
        self.muted = False
        self.failed = False
        self.shown: Look | None = None
        self._seen: set[str] = set()
        self._dead: set[str] = set()
        self._died: dict[str, float] = {}
        self._now = 0.0
        self._making: set[str] = set()
        self._received: dict[str, int] = {}
        self._pieces: list[tuple[str, int, int]] = []
        """Item, content part and frames of what was queued since the last `Hush`."""
        self._cut: list[tuple[str, int, int]] = []
        self._cut_heard = 0
        self._taken_back: set[str] = set()
        self._queued = 0
        self._heard = 0
        self._last_sent = -1
        self._committed = -1
        self._detecting = detects_turns
        self._last_frame = -1
        self._asked_to_close = False
        self.ducked = False

    def expects(self, event: ev.Event) -> None:
        """Book `event` before the speaker hears of it."""
        match event:
            case ev.Started():
                self.muted = event.muted
            case ev.LinkReady():
                self.line = {"opening": "up", "warming": "standby"}.get(self.line, self.line)
            case ev.LinkDown():
                self.line = "down"
                self._making.clear()
            case ev.ReplyStarted() if self.line == "up" and event.reply not in self._seen:
                self._seen.add(event.reply)
                self._making.add(event.reply)
            case ev.ReplyDone():
                self._making.discard(event.reply)
            case ev.SpeakerProgress():
                self._heard = max(self._heard, min(event.heard, self._queued))
            case _:
                pass

    def judges(
        self, event: ev.Event, commands: list[do.Command], speaker: Assistant, now: float
    ) -> None:
        """Book and judge what the speaker did about `event`."""
        before, self._now = self.line, now
        self.muted = self.muted and not _unmutes(commands)
        for command in commands:
            self._book(command, event)
        self._judge_frames(event, commands, speaker, before)
        self._judge_state(speaker, now)
        if isinstance(event, ev.MicFrame):
            self._judge_ring(speaker)

    def _book(self, command: do.Command, event: ev.Event) -> None:
        match command:
            case do.OpenLink():
                assert self.line == "down", "one line at a time"
                assert not self.muted, "nobody may hear us"
                self.line = "warming"
                self._detecting = self._detects_turns
                self._seen.clear()
                self._dead.clear()
                self._died.clear()
                self._received.clear()
                self._taken_back.clear()
            case do.Attend():
                self.line = {"warming": "opening", "standby": "up"}.get(self.line, self.line)
                assert self.line in ("opening", "up")
            case do.CloseLink():
                assert self.line not in ("down", "closing"), f"nothing to close: {self.line}"
                self.line = "closing"
                self._making.clear()
            case do.Play():
                assert isinstance(event, ev.ReplyAudio)
                assert self.line == "up"
                assert event.reply not in self._dead, "an interrupted answer sounds again"
                frames = len(command.samples) // 2
                self._received[event.item] = self._received.get(event.item, 0) + frames
                self._queued += frames
                self._pieces.append((event.item, event.index, frames))
            case do.Hush():
                self._cut, self._cut_heard = self._pieces, self._heard
                self._pieces = []
                self._queued = self._heard = 0
                self._bury(self._seen)
            case do.OpenMicrophone():
                assert not self.muted, "muted, and the microphone is opened"
            case do.RunTool():
                assert self.line == "up"
            case do.Show():
                self.shown = command.look
            case do.Note():
                self._book_note(command, event)
            case do.Fail():
                self.failed = True
            case do.SetVolume():
                assert command.volume_db <= 0
            case do.Duck():
                assert bool(command.by_db) is not self.ducked, "so quiet already"
                self.ducked = bool(command.by_db)
            case (
                do.CloseMicrophone()
                | do.FinishPlay()
                | do.ResetWake()
                | do.Sound()
                | do.Announced()
                | do.Remember()
                | do.Book()
            ):
                pass
            case _:
                self._book_sent(command, event)

    def _book_note(self, told: do.Note, event: ev.Event) -> None:
        if told.fact is do.Fact.MUTED:
            self.muted = True
        elif told.fact is do.Fact.RECONNECTING:
            # The next session knows nothing of what the last one heard.
            self._last_sent = self._committed = -1
        elif told.fact is do.Fact.INTERRUPTED and isinstance(event, ev.SpeechStarted):
            # Told later, it is about an answer that was hushed then.
            self._bury(self._seen)

    def _book_sent(self, command: do.LinkCommand, event: ev.Event) -> None:
        assert self.line == "up", f"{command} on a line that is {self.line}"
        assert not self.muted, f"{command} while muted"
        match command:
            case do.TruncateReply():
                received_ms = self._received[command.item] * 1000 // self._wire_rate
                assert 0 < command.heard_ms <= received_ms, "heard more than was received"
                assert command.heard_ms == self._truth_ms(command, event), "not what was heard"
                self._take_back(command.item)
            case do.DeleteItem():
                self._take_back(command.item)
            case do.CancelReply():
                self._bury({command.reply})
            case do.AskReply():
                waited_for = {r for r in self._making if self._now - self._died.get(r, 1e9) < 2.0}
                assert not waited_for, f"an answer is being made already: {waited_for}"
            case do.DetectTurns():
                assert command.on is not self._detecting, "turn detection is so already"
                self._detecting = command.on
            case do.CommitInput():
                assert not self._detecting, "the provider commits by itself"
                self._committed = self._last_sent
            case do.ClearInput():
                self._last_sent = self._committed
            case do.SendAudio():
                assert number(command.samples) > self._last_sent, "sent twice, or out of order"
                self._last_sent = number(command.samples)
            case _:
                pass

    def _bury(self, replies: set[str]) -> None:
        """Nobody wants these any more; they should be done soon."""
        self._dead |= replies
        for reply in replies:
            self._died.setdefault(reply, self._now)

    def _take_back(self, item: str) -> None:
        assert item not in self._taken_back, "an item is taken back once"
        self._taken_back.add(item)

    def _truth_ms(self, cut: do.TruncateReply, event: ev.Event) -> int:
        """What was heard of a part: what the loudspeaker says now, or else said last."""
        left = self._cut_heard
        if isinstance(event, ev.SpeakerHushed):
            left = max(left, event.heard)
        heard = 0
        for item, index, frames in self._cut:
            played = min(left, frames)
            left -= played
            heard += played * ((item, index) == (cut.item, cut.index))
        return heard * 1000 // self._wire_rate

    def _judge_frames(
        self, event: ev.Event, commands: list[do.Command], speaker: Assistant, before: str
    ) -> None:
        sent = [command for command in commands if isinstance(command, do.SendAudio)]
        noise = [command for command in commands if isinstance(command, do.SendNoise)]
        # What was forgotten again does not count.
        cleared = [n for n, c in enumerate(commands) if isinstance(c, do.ClearInput)]
        lasting = commands[max(cleared, default=0) :]
        numbers = [number(c.samples) for c in lasting if isinstance(c, do.SendAudio)]
        if isinstance(event, ev.MicFrame):
            if speaker._ears.rate is not None:
                self._last_frame = number(event.samples)
            begun = any(isinstance(c, do.DetectTurns | do.ClearInput) for c in commands)
            if before == self.line == "up" and speaker._ears.rate is not None and not begun:
                held = speaker._dialogue.held
                assert not (held and noise), "the button is held, and is not believed"
                if speaker._dialogue.gate.person and (self._detecting or held):
                    assert numbers[-1] == self._last_frame, "somebody speaks over us"
                    assert len(numbers) * 20 <= _PREROLL_MS + 20, "more than the first syllable"
                else:
                    assert len(sent) + len(noise) == int(self._detecting or held), (
                        "every frame sends one frame; none between presses to talk"
                    )
                    assert numbers in ([], [self._last_frame])
        else:
            begins = isinstance(event, ev.LinkReady) or before == "standby"
            assert begins or not noise, "noise without a frame to stand for"
        if numbers:
            first, last = numbers[0], numbers[-1]
            # Between two presses before the line was up, and after the last, nothing leaves.
            late = isinstance(event, ev.LinkReady) and speaker._line._due[0][1] is not None
            # What was held back from the ring has noise in its place.
            assert numbers == sorted(numbers)
            assert late or len(numbers) + len(noise) >= last + 1 - first, "lost"
            assert late or noise or last == self._last_frame, "the newest frame stayed behind"

    def _judge_state(self, speaker: Assistant, now: float) -> None:
        state, deadline = speaker.state, speaker.deadline()
        assert deadline is None or deadline > now, "a deadline in the past"
        if self.shown is not None:
            assert self.shown.scene is state, "the lights lie"
            assert (self.shown.trouble is not None) == (state is Scene.TROUBLE)
        if self.muted:
            assert state is Scene.MUTED
            assert self.line in ("down", "closing")
        if self.line != "down" and not self.failed:
            assert deadline is not None, f"a line that is {self.line} without a deadline"
        if self.line != "up":
            assert not self.ducked, "nothing sounds, and it is made quieter"
        if self.line == "down":
            left = _OF_A_LINE & set(speaker._timers._at)
            if speaker._line.link is Link.BROKEN:
                left -= {Timer.LONGEST}
            assert not left, f"alarms of a conversation that is over: {left}"
        turn, playback = speaker._dialogue.turn, speaker._dialogue.playback
        link = speaker._line.link.value
        between = ("reopening", "closing"), ("broken", "down")
        assert link == self.line or (link, self.line) in between
        if link == "broken":
            assert Timer.RETRY in speaker._timers._at, "broken for ever"
        if self.line != "up":
            assert turn is Turn.QUIET, "nobody is on the line, and somebody has the turn"
            assert state not in _ON_THE_LINE
            assert not playback.audible
            assert not speaker._dialogue.answers.generating
            assert not speaker._dialogue.held
        elif not self.failed:
            bound = _BOUNDS[turn] in speaker._timers._at
            assert bound or speaker._dialogue.working, f"{turn} without an end"
        if turn in (Turn.QUIET, Turn.HEARING):
            assert not playback.audible, "an answer sounds and nobody has the turn"
        assert 0 <= playback.heard <= playback.queued
        assert (playback.queued, playback.heard) == (self._queued, self._heard), "books differ"

    def _judge_ring(self, speaker: Assistant) -> None:
        limit_s = self._policy.connecting_ring_s
        if speaker._line.asleep:
            limit_s = self._policy.asleep_ring_s
        rate = speaker._ears.rate
        # While the microphone is away nothing is kept, and nothing falls out.
        assert rate is None or speaker._line.ring.samples <= limit_s * rate


def _unmutes(commands: list[do.Command]) -> bool:
    return any(isinstance(c, do.Note) and c.fact is do.Fact.UNMUTED for c in commands)


def number(samples: bytes) -> int:
    """Which frame this is: the script writes its number into its first samples."""
    return int.from_bytes(samples[:4], "little")
