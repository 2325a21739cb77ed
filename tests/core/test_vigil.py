"""The watchdog is fed while what the state needs goes on, and what does not is told in time."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core import commands as do
from edged.core import events as ev
from edged.core.scenes import Scene
from edged.core.vigil import LOUDSPEAKER, MICROPHONE, WAKE, WATCH, Pulse, Signs, Vigil

from ..script import Evening, only

WATCHDOG_S = 6.0
SESSION = (
    Scene.WAKING,
    Scene.CONNECTING,
    Scene.LISTENING,
    Scene.HEARING,
    Scene.THINKING,
    Scene.SPEAKING,
    Scene.WORKING,
)


@dataclass
class Night:
    """A speaker whose parts go on or stand still, and a service manager with a clock."""

    scene: Scene = Scene.ASLEEP
    microphone: bool = True
    engine: bool = True
    playing: bool = False
    hung: set[str] = field(default_factory=set)
    """Parts that stand still."""

    def __post_init__(self) -> None:
        self.vigil = Vigil(WATCHDOG_S)
        self.counts = dict.fromkeys((WATCH, MICROPHONE, WAKE, LOUDSPEAKER), 7)
        self.now = self.next = 1000.0
        self.fed: list[float] = []
        self.told: list[tuple[float, str]] = []

    @property
    def killed(self) -> bool:
        return bool(self.fed) and self.now - self.fed[-1] >= WATCHDOG_S

    def signs(self) -> Signs:
        return Signs(
            self.scene,
            Pulse(self.counts[WATCH], self.counts[LOUDSPEAKER], self.playing),
            self.counts[MICROPHONE] if self.microphone else None,
            self.counts[WAKE] if self.engine else None,
        )

    def passes(self, seconds: float, step_s: float = 0.1) -> None:
        """Time goes by, in which every part that is not hung does something at each step."""
        end = self.now + seconds
        while self.now < end - 1e-9 and not self.killed:
            for part in self.counts.keys() - self.hung:
                self.counts[part] += 1
            if self.now >= self.next:
                self.looks()
            self.now += step_s

    def looks(self) -> None:
        found = self.vigil.look(self.signs(), self.now)
        if found.alive:
            self.fed.append(self.now)
        if found.stuck:
            self.told.append((self.now, found.stuck))
        self.next = self.now + found.again_s


def test_a_speaker_that_is_well_is_fed_every_third_of_the_watchdogs_time() -> None:
    night = Night()
    night.passes(20.0)
    pauses = [after - before for before, after in pairwise(night.fed)]
    assert pauses == pytest.approx([2.0] * 9, abs=0.11)
    assert not night.told


NEEDS: list[tuple[Scene, bool, bool, set[str]]] = [
    (Scene.MUTED, False, False, {WATCH}),
    (Scene.TROUBLE, False, False, {WATCH}),
    (Scene.ASLEEP, False, False, {WATCH}),
    (Scene.ASLEEP, True, False, {MICROPHONE, WAKE}),
    (Scene.TROUBLE, True, False, {MICROPHONE, WAKE}),
    *[(scene, True, False, {MICROPHONE}) for scene in SESSION],
    *[(scene, True, True, {MICROPHONE, LOUDSPEAKER}) for scene in SESSION],
]
"""The state, whether a microphone is open, whether something is to be heard; what must go on."""


@pytest.mark.parametrize(("scene", "microphone", "playing", "needed"), NEEDS)
@pytest.mark.parametrize("part", [WATCH, MICROPHONE, WAKE, LOUDSPEAKER])
def test_a_part_that_stands_still_ends_the_process_where_the_state_needs_it(
    scene: Scene, microphone: bool, playing: bool, needed: set[str], part: str
) -> None:
    night = Night(scene, microphone, playing=playing)
    night.passes(10.0)
    night.hung.add(part)
    since = night.now
    night.passes(30.0)
    if part not in needed:
        assert not night.killed
        assert not night.told
        return
    assert night.killed
    assert night.now - since < WATCHDOG_S + 2.2
    ((told_at, told),) = night.told
    assert told == part
    assert 0.4 < night.now - told_at < 1.2, "in time for the journal, and no false alarm before"


def test_without_an_engine_nothing_has_to_be_examined() -> None:
    night = Night(engine=False, hung={WAKE})
    night.passes(30.0)
    assert not night.killed


def test_a_part_that_gets_ahead_late_is_forgiven_and_nothing_is_told() -> None:
    night = Night()
    night.passes(10.0)
    night.hung.add(WAKE)
    night.passes(4.5)
    night.hung.clear()
    night.passes(10.0)
    assert not night.killed
    assert not night.told


def test_an_engine_slower_than_the_room_is_fed_whenever_it_is_done_with_a_frame() -> None:
    night = Night(hung={WAKE})
    for _ in range(20):
        night.passes(4.0)
        night.counts[WAKE] += 1
    assert not night.killed
    assert not night.told


def test_a_microphone_that_was_just_opened_has_time_for_its_first_frame() -> None:
    night = Night(Scene.MUTED, microphone=False, hung={MICROPHONE, WAKE})
    night.passes(60.0)
    night.scene, night.microphone = Scene.ASLEEP, True
    night.passes(1.5)
    night.hung.clear()
    night.passes(20.0)
    assert not night.killed
    assert not night.told


def test_what_was_told_is_told_again_only_after_it_went_on() -> None:
    night = Night()
    for evening in (1, 2):
        night.passes(10.0)
        night.hung.add(MICROPHONE)
        while len(night.told) < evening and not night.killed:
            night.passes(0.1)
        night.passes(0.2)
        assert [part for _, part in night.told] == [MICROPHONE] * evening
        night.hung.clear()
    night.passes(10.0)
    assert not night.killed


scenes = st.sampled_from([*Scene])
changes = st.lists(
    st.tuples(scenes, st.booleans(), st.booleans(), st.booleans(), st.floats(0.01, 9.0)),
    max_size=12,
)
"""The state, the microphone, the engine, the queue, and for how long."""


@given(changes)
def test_nobody_is_killed_while_everything_goes_on(
    changes: list[tuple[Scene, bool, bool, bool, float]],
) -> None:
    night = Night()
    for scene, microphone, engine, playing, seconds in changes:
        night.scene, night.microphone, night.playing = scene, microphone, playing
        night.engine = engine
        night.passes(seconds)
    assert not night.killed
    assert not night.told


@given(changes, st.sampled_from(NEEDS), st.data())
def test_whatever_came_before_a_needed_part_that_stands_still_is_told_of_and_the_end(
    changes: list[tuple[Scene, bool, bool, bool, float]],
    need: tuple[Scene, bool, bool, set[str]],
    data: st.DataObject,
) -> None:
    night = Night()
    for scene, microphone, engine, playing, seconds in changes:
        night.scene, night.microphone, night.playing = scene, microphone, playing
        night.engine = engine
        night.passes(seconds)
    night.scene, night.microphone, night.playing, needed = need
    night.engine = True
    part = data.draw(st.sampled_from(sorted(needed)))
    night.hung.add(part)
    night.passes(WATCHDOG_S + 2 * WATCHDOG_S / 3 + 0.3)
    assert night.killed
    assert [told for _, told in night.told] == [part]


@given(changes, st.sampled_from([Scene.MUTED, Scene.TROUBLE]))
def test_whatever_hangs_a_speaker_that_need_not_hear_goes_on_while_its_card_is_watched(
    changes: list[tuple[Scene, bool, bool, bool, float]], scene: Scene
) -> None:
    night = Night(hung={MICROPHONE, WAKE, LOUDSPEAKER})
    night.scene, night.microphone = scene, scene is Scene.MUTED
    for _, _, engine, playing, seconds in changes:
        night.engine, night.playing = engine, playing
        night.passes(seconds)
    assert not night.killed


def test_what_gets_nothing_to_examine_is_not_to_blame() -> None:
    night = Night()
    night.passes(10.0)
    night.hung |= {MICROPHONE, WAKE}
    night.passes(10.0)
    assert [part for _, part in night.told] == [MICROPHONE]


def test_the_same_signs_later_are_a_standstill() -> None:
    vigil = Vigil(WATCHDOG_S)
    signs = Night().signs()
    assert vigil.look(signs, 0.0).alive
    assert not vigil.look(signs, 2.0).alive
    assert vigil.look(replace(signs, captured=8, examined=8), 2.5).alive


# --- the microphone, as the core sees it --------------------------------------------------


def test_an_open_microphone_that_stays_silent_after_one_reopening_ends_the_process() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    evening.dozes(3.1)
    evening.microphone_opens()
    (fail,) = only(evening.dozes(3.1), do.Fail)
    assert "open and silent" in fail.reason


def test_an_absent_microphone_is_trouble_however_long_and_no_end() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    for _ in range(3):
        evening.dozes(3.1)
        evening.feed(ev.MicLost("unplugged"))
        assert not only(evening.dozes(600.0), do.Fail)
        assert evening.shows(Scene.TROUBLE)
        evening.microphone_opens()
        assert not only(evening.dozes(3.1), do.Fail), "a second chance for every one that is back"
