"""An evening with the appliance, from a cold start on."""

import time
from pathlib import Path

from . import house
from .house import PATIENCE_S
from .verdicts import Chapter

chapter = Chapter("evening", disk="installed")
line = chapter.line

_RECORDING = Path("/tmp/heard.raw")
_QUESTION = house.SHARE / "waves/cmd_after_wake.wav"
_GATE = Path("/etc/edged/edged.toml.d/gate.toml")
VOLUME_DB = "-13"
"""To be found again in the morning."""
_HUES = {
    "asleep": (0.0, 0.0, 0.0),
    "connecting": (0.34, 0.71, 0.91),
    "listening": (0.0, 0.45, 0.7),
    "hearing": (0.34, 0.71, 0.91),
    "thinking": (0.8, 0.47, 0.65),
    "speaking": (0.0, 0.62, 0.45),
    "muted": (0.84, 0.37, 0.0),
}
"""Red, green and blue of the scenes that have one rhythm or none."""
_SETTLED_S = 0.06
"""After a change of state the lamps are looked at so late: they are redrawn within a frame."""
_SEEN = 12
"""So many looks at least make a colour."""


@line
def the_service_is_active_after_a_cold_start_and_has_said_ready() -> str:
    house.run("systemctl", "start", "rig-provider.service")
    house.wait("active", lambda: house.show("ActiveState") == "active", PATIENCE_S)
    assert house.show("Type") == "notify"
    assert house.show("NRestarts") == "0"
    house.journal().fact(0, "started", PATIENCE_S)
    house.settled()
    return f"READY {house.start_took_s():.1f} s after exec"


@line
def the_wake_word_is_heard() -> str:
    house.wait("the provider", lambda: house.answers_on(8765), PATIENCE_S)
    _Conversation.hold()
    woken = house.journal().fact(_Conversation.mark, "woken")
    assert woken["EDGED_WORD"] == "hey_jarvis", woken["MESSAGE"]
    return f"{woken['MESSAGE']}, score {woken['EDGED_SCORE']}"


@line
def the_answer_is_heard_on_the_loopback_card() -> str:
    turn = house.journal().fact(_Conversation.mark, "turn_ended")
    told_s = int(turn["EDGED_HEARD_MS"]) / 1000
    sounded_s = house.sounding_s(_RECORDING)
    assert told_s > 1
    # The earcons of waking and falling asleep come on top; between notes it is quiet for a moment.
    assert 0.8 * told_s < sounded_s < told_s + 2.5, f"{sounded_s} s sounded of {told_s} s"
    return f"{sounded_s:.1f} s sounded, {told_s:.1f} s of them an answer"


@line
def the_lights_follow_the_states() -> str:
    shown = list(_Conversation.shares())
    told = {name for name, _ in shown}
    assert {"listening", "speaking", "asleep"} <= told, f"only {told} could be looked at"
    for name, lamps in shown:
        fits = min(_HUES, key=lambda hue: _distance(lamps, _HUES[hue]))
        # Two scenes share a hue, and differ in what they mean and in rhythm.
        same = _HUES.get(name) == _HUES[fits]
        assert name not in _HUES or same, f"{name} looked like {fits}: {lamps}"
    return ", ".join(
        f"{name} {red:.2f}/{green:.2f}/{blue:.2f}" for name, (red, green, blue) in shown
    )


@line
def the_second_lamp_is_lit_while_sound_leaves_the_room() -> str:
    sent = dict(_Conversation.sending())
    assert sent["hearing"] > 0.9, sent
    assert sent["asleep"] < 0.1, sent
    return str({name: round(lamp, 2) for name, lamp in sent.items()})


@line
def a_conversation_in_which_nobody_speaks_any_more_is_closed() -> str:
    ended = house.journal().fact(_Conversation.mark, "session_ended")
    turn = house.journal().fact(_Conversation.mark, "turn_ended")
    after_s = house.monotonic_s(ended) - house.monotonic_s(turn)
    assert 3 < after_s < 9, f"{after_s:.1f} s after the turn: {ended['MESSAGE']}"
    return f"{ended['MESSAGE']}, {after_s:.1f} s after the turn"


@line
def the_button_opens_a_conversation_and_ends_it() -> str:
    return house.talk()["MESSAGE"]


@line
def a_reload_waits_until_nobody_is_on_the_line() -> str:
    mark, before = house.settled(), house.pid()
    # From now on silence is not looked into, which makes everything else quicker.
    _GATE.write_text("[wake.openwakeword]\nenergy_gate = true\n")
    # It would not come back before the new configuration is taken.
    ended = house.talk(lambda: house.run("systemctl", "reload", "--no-block", "edged.service"))
    assert "pressed" in ended["MESSAGE"], ended["MESSAGE"]
    taken = house.journal().fact(mark, "reloaded", PATIENCE_S)
    assert house.monotonic_s(taken) > house.monotonic_s(ended), "taken while somebody spoke"
    house.settled()
    assert (house.pid(), house.show("NRestarts")) == (before, "0"), "it was started again"
    return f"{ended['MESSAGE']}; {taken['MESSAGE']}"


@line
def the_mute_switch_closes_the_capture_device() -> str:
    mark = house.settled()
    with house.Lights() as lights:
        house.close_contact(house.SWITCH, closed=True)
        house.journal().fact(mark, "muted")
        house.wait("the device is closed", lambda: house.capture() == "closed", PATIENCE_S)
        since = time.monotonic() + _SETTLED_S
        time.sleep(0.5)
    lamps = house.share(lights.between(since, time.monotonic()))[:3]
    assert _distance(lamps, _HUES["muted"]) < 0.3, lamps
    house.close_contact(house.SWITCH, closed=False)
    house.journal().fact(mark, "unmuted")
    house.wait("listening again", house.listens, PATIENCE_S)
    return f"closed, and {lamps} meanwhile"


@line
def the_volume_is_set() -> str:
    mark = house.settled()
    house.run("edged", "volume", "--db", VOLUME_DB)
    changed = house.journal().fact(mark, "volume_changed")
    return changed["MESSAGE"]


@line
def every_entry_is_json_and_named() -> str:
    entries = [
        entry for entry in house.journal().since(0) if entry.get("SYSLOG_IDENTIFIER") == "edged"
    ]
    assert entries
    for entry in entries:
        assert len(entry["MESSAGE_ID"]) == 32, entry
        assert entry["EDGED_FACT"], entry
        assert entry["EDGED_STATE"], entry
    facts = {entry["EDGED_FACT"] for entry in entries}
    assert {"started", "woken", "connected", "turn_ended", "session_ended"} <= facts, facts
    return f"{len(entries)} entries of {len(facts)} kinds"


@line
def the_catalogue_explains_the_entries() -> str:
    told = house.run("journalctl", "--boot", "--identifier=edged", "--catalog", "--no-pager")
    subjects = [line.partition("Subject: ")[2] for line in told.splitlines() if "Subject: " in line]
    entries = [e for e in house.journal().since(0) if e.get("SYSLOG_IDENTIFIER") == "edged"]
    assert "edged has started" in subjects, told[:2000]
    assert len(subjects) == len(entries), f"{len(subjects)} explained of {len(entries)}"
    return f"{len(subjects)} explanations of {len(set(subjects))} kinds"


class _Conversation:
    """One question and its answer, to be looked at from several sides."""

    mark = 0
    lights = house.Lights()
    ended_s = 0.0

    @classmethod
    def hold(cls) -> None:
        """Ask aloud, and wait until the speaker is asleep again."""
        cls.mark = house.settled()
        with cls.lights, house.recorded(_RECORDING):
            house.say(_QUESTION)
            house.journal().fact(cls.mark, "turn_ended", PATIENCE_S)
            house.journal().fact(cls.mark, "session_ended", PATIENCE_S)
            house.journal().state(cls.mark, "asleep", PATIENCE_S)
            time.sleep(1)
        cls.ended_s = time.monotonic()

    @classmethod
    def _looks(cls) -> list[tuple[str, list[house.Lamps]]]:
        changes = [
            (house.monotonic_s(entry), entry["MESSAGE"])
            for entry in house.journal().since(cls.mark)
            if entry.get("EDGED_FACT") == "state_changed"
        ]
        ends = [at for at, _ in changes[1:]] + [cls.ended_s]
        looks = [
            (name, cls.lights.between(since + _SETTLED_S, until))
            for (since, name), until in zip(changes, ends, strict=True)
        ]
        return [(name, seen) for name, seen in looks if len(seen) >= _SEEN]

    @classmethod
    def shares(cls) -> list[tuple[str, tuple[float, float, float]]]:
        """Each state that lasted, and for which part of it each lamp was lit."""
        return [(name, house.share(seen)[:3]) for name, seen in cls._looks()]

    @classmethod
    def sending(cls) -> list[tuple[str, float]]:
        """The same of the second lamp."""
        return [(name, house.share(seen)[3]) for name, seen in cls._looks()]


def _distance(lamps: tuple[float, float, float], hue: tuple[float, float, float]) -> float:
    """How far a colour is from a hue, whatever the brightness: 0 to 2."""
    if max(hue) == 0 or max(lamps) < 0.02:
        return 0.0 if max(hue) == 0 and max(lamps) < 0.02 else 2.0
    bright = [lamp / max(lamps) for lamp in lamps]
    pure = [part / max(hue) for part in hue]
    return max(abs(one - other) for one, other in zip(bright, pure, strict=True))
