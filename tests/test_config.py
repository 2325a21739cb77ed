"""What the owner writes, and what is said when it is wrong."""

import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import board, config, fields, schema, sections
from edged.core.gestures import Action, Bindings

from .conftest import Drop


class Tone(StrEnum):
    """How a bell sounds."""

    BRIGHT = "bright"
    DARK = "dark"


@dataclass(frozen=True)
class Bell:
    """One bell of the chime."""

    note: str
    """Which note it has."""
    tone: Tone = Tone.BRIGHT
    """How it sounds."""
    weight_kg: Annotated[float, "at least 0.5"] = 1.0
    """How heavy it is."""


@dataclass(frozen=True)
class Tower:
    """Where the bells hang."""

    name: str = "south"
    """What people call it."""
    height_m: Annotated[float, "0.5 to 60"] = 12.0
    """From the ground
    to the lantern."""
    steps: Annotated[int, "at most 400"] = 90
    """As one climbs."""
    lit: bool = False
    """At night."""
    style: Literal["gothic", "baroque"] = "gothic"
    hours: tuple[int, ...] = (6, 12, 18)
    """When the bells ring."""
    great: Bell = Bell("c")
    """The one everybody knows."""
    bells: Mapping[str, Bell] = field(default_factory=lambda: {"small": Bell("g", Tone.DARK)})
    """The others."""
    chimes: tuple[Bell, ...] = ()

    def __post_init__(self) -> None:
        """A tower without steps has no height."""
        if self.steps == 0 and self.height_m > 1:
            raise ValueError("a tower of this height has steps")


def read(text: str, *assignments: str) -> Tower:
    document = config.Document()
    document.add_text(textwrap.dedent(text), "town.toml")
    for assignment in assignments:
        document.add_assignment(assignment)
    reader = config.Reader(document)
    tower = reader.section(("tower",), Tower)
    reader.finish()
    return tower


def mistakes(text: str, *assignments: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        read(text, *assignments)
    assert str(caught.value) == "\n".join(map(str, caught.value.mistakes))
    return [str(mistake) for mistake in caught.value.mistakes]


def test_what_is_not_written_has_its_default() -> None:
    assert read("") == Tower() == read("[tower]\n")


def test_what_is_written_is_read() -> None:
    tower = read(
        """
        [tower]
        name = "north"
        height_m = 30          # a whole number is a number
        lit = true
        style = "baroque"
        hours = []
        great.tone = "dark"
        bells.big = { note = "C", weight_kg = 900 }

        [[tower.chimes]]
        note = "e"
        [[tower.chimes]]
        note = "f"
        tone = "dark"
        """
    )
    assert tower == Tower(
        name="north",
        height_m=30.0,
        lit=True,
        style="baroque",
        hours=(),
        great=Bell("c", Tone.DARK),
        bells={"big": Bell("C", weight_kg=900.0)},
        chimes=(Bell("e"), Bell("f", Tone.DARK)),
    )
    assert type(tower.height_m) is float
    assert type(tower.great.tone) is Tone


def test_a_named_table_that_has_a_default_keeps_the_rest_of_it() -> None:
    assert read("[tower.bells.small]\nweight_kg = 2").bells == {"small": Bell("g", Tone.DARK, 2.0)}


UNQUOTED = 'is not TOML: Invalid value; a text stands in straight quotes, "like this"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tower]\nNAME = 1", "2: tower.NAME: is no setting of [tower]; did you mean `name`?"),
        ("[tower]\nnaem = 1", "2: tower.naem: is no setting of [tower]; did you mean `name`?"),
        (
            "[tower.great]\n\nx = 1",
            "3: tower.great.x: is no setting of [tower.great]; there are: note, tone, weight_kg",
        ),
        ("[twoer]", "1: twoer: is no section; did you mean `tower`?"),
        ("x = 1", "1: x: is no section; there are: tower"),
        ("tower = 1", "1: tower: expected a table [tower], not 1"),
        ("[[tower]]", "1: tower: expected a table [tower], not [{}]"),
        ("[tower]\nname = 1", "2: tower.name: expected text, not 1"),
        ("[tower]\nlit = 1", "2: tower.lit: expected true or false, not 1"),
        ("[tower]\nsteps = true", "2: tower.steps: expected a whole number, at most 400, not true"),
        ("[tower]\nsteps = 4.0", "2: tower.steps: expected a whole number, at most 400, not 4.0"),
        ("[tower]\nsteps = 401", "2: tower.steps: expected a whole number, at most 400, not 401"),
        ("[tower]\nheight_m = 0", "2: tower.height_m: expected a number, 0.5 to 60, not 0"),
        ("[tower]\nheight_m = nan", "2: tower.height_m: expected a number, 0.5 to 60, not NaN"),
        (
            f"[tower]\nheight_m = {10**400}",
            f"2: tower.height_m: expected a number, 0.5 to 60, not 1{'0' * 56}...",
        ),
        (
            '[tower]\nheight_m = "9"',
            '2: tower.height_m: expected a number, 0.5 to 60, not "9"',
        ),
        (
            '[tower]\nstyle = "gothik"',
            '2: tower.style: expected one of "gothic", "baroque", not "gothik"; '
            'did you mean "gothic"?',
        ),
        (
            '[tower]\ngreat = { tone = "brigth" }',
            '2: tower.great.tone: expected one of "bright", "dark", not "brigth"; '
            'did you mean "bright"?',
        ),
        ("[tower]\nhours = 6", "2: tower.hours: expected a list, each item a whole number, not 6"),
        ("[tower]\nhours = [\n6,\n'x']", '4: tower.hours[1]: expected a whole number, not "x"'),
        ("[tower]\ngreat = 1", "2: tower.great: expected a table, not 1"),
        ("[tower]\nname = {}", "2: tower.name: expected text, not a table"),
        ("[tower]\nname = 1979-05-27", '2: tower.name: expected text, not "1979-05-27"'),
        ("[tower.bells]\n'x y' = 1", '2: tower.bells."x y": expected a table, not 1'),
        (
            "[tower.bells.new]\ntone = 'dark'",
            "1: tower.bells.new: has no `note`, which must be given",
        ),
        (
            "[tower.great]\nweight_kg = 0.4",
            "2: tower.great.weight_kg: expected a number, at least 0.5, not 0.4",
        ),
        ("[tower]\nsteps = 0", "1: tower: a tower of this height has steps"),
        ("[tower]\nname = ", f"2: {UNQUOTED}"),
        ("[tower]\nname = marin", f"2: {UNQUOTED}"),
        ("[tower]\nname = „marin“", f"2: {UNQUOTED}"),
        ("[tower]\nname = 1\nname = 2", "3: is not TOML: Cannot overwrite a value"),
        ("[tower]\nname = '''x\n\n", "4: is not TOML: Expected \"'''\""),
    ],
)
def test_a_mistake_names_file_line_and_key_and_what_was_expected(text: str, message: str) -> None:
    assert mistakes(text) == [f"town.toml:{message}"]


def test_all_mistakes_are_told_at_once_in_reading_order() -> None:
    text = "[twoer]\n[tower]\nsteps = 'x'\nnaem = 1\nhours = [1, 'x', 'y']"
    told = mistakes(text, "tower.name=1", "tower.steps")
    assert [line.partition(": ")[0] for line in told] == [
        "town.toml:1",
        "town.toml:3",
        "town.toml:4",
        "town.toml:5",
        "town.toml:5",
        "--set tower.name=1",
        "--set tower.steps",
    ]


def test_an_assignment_overrules_the_file() -> None:
    tower = read(
        "[tower]\nname = 'x'\nsteps = 5", "tower.steps=6", "tower.steps=7", "tower.hours=[1]"
    )
    assert (tower.name, tower.steps, tower.hours) == ("x", 7, (1,))


def test_text_in_an_assignment_needs_no_quotes() -> None:
    assert read("", "tower.name=big ben").name == "big ben"
    assert read("", 'tower.name="quoted = so"').name == "quoted = so"
    assert read("", "tower.name=1\ntower.steps = 2").name == "1\ntower.steps = 2"
    assert read("", r"tower.name=a\b").name == r"a\b"


@pytest.mark.parametrize("words", ["tower", "", "=1", "tower..name=1"])
def test_what_is_no_assignment_is_a_mistake(words: str) -> None:
    assert mistakes("", words) == [f"--set {words}: expected SECTION.KEY=VALUE"]


def test_a_range_in_other_words_is_the_programmers_mistake() -> None:
    with pytest.raises(TypeError, match="a few"):
        fields.unwrapped(Annotated[int, "a few"])


def test_the_sentence_of_each_field_is_read_from_the_source() -> None:
    told = fields.sentences(Tower)
    assert told["height_m"] == "From the ground to the lantern."
    assert "style" not in told


@given(st.integers(-100, 100), st.floats(allow_nan=True))
def test_nothing_outside_a_range_is_let_in(whole: int, real: float) -> None:
    for value in (whole, real):
        inside = fields.fits(Annotated[float, "-2.5 to 40"], value)
        assert inside == (-2.5 <= value <= 40)


# --- files --------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration that needs no hardware, with a folder of drop-ins."""
    file = tmp_path / "edged.toml"
    (tmp_path / "edged.toml.d").mkdir()
    file.write_text("[session]\nvoice = 'cedar'\nspeed = 1.5\n")
    return file


def drop_in(file: Path, name: str, text: str) -> Path:
    path = file.with_name(file.name + ".d") / name
    path.write_text(text)
    return path


def test_drop_ins_lie_over_the_file_in_the_order_of_their_names(file: Path) -> None:
    second = drop_in(file, "20-voice.toml", "session.voice = 'verse'")
    first = drop_in(file, "10-voice.toml", "session.voice = 'ash'\nsession.speed = 0.5")
    drop_in(file, "30-off.toml.disabled", "nonsense")
    settings = schema.read(file)
    assert (settings.session.voice, settings.session.speed) == ("verse", 0.5)
    assert settings.files == (file, first, second)


def test_a_mistake_is_blamed_on_the_drop_in_that_makes_it(file: Path) -> None:
    last = drop_in(file, "10.toml", "\n[session]\nspeed = 9")
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    assert [(m.file, m.line, m.key) for m in caught.value.mistakes] == [
        (str(last), 3, "session.speed")
    ]


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match=r"gone\.toml: cannot be read: No such file"):
        schema.read(tmp_path / "gone.toml")


def test_without_any_file_the_defaults_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "FILE", tmp_path / "edged.toml")
    settings = schema.read()
    assert settings.files == ()
    assert settings.actions == {"talk": Bindings()}
    assert [chosen.name for chosen in settings.lights] == ["gpio"]
    assert isinstance(settings.sound.settings, settings.sound.module.Settings)


def test_a_file_in_another_encoding_is_a_mistake_with_its_line(file: Path) -> None:
    file.write_bytes("[session]\nvoice = 'ähm'".encode("latin-1"))
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    assert str(caught.value) == f"{file}:2: is not UTF-8 text"


def test_line_ends_and_marks_of_other_systems_are_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[session]\r\nvoice = 'ash'\r\nsped = 1\r\n")
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    assert [mistake.line for mistake in caught.value.mistakes] == [3]


# --- drivers ------------------------------------------------------------------------------

LANTERN = '''
    """A lantern."""

    from dataclasses import dataclass
    from typing import Annotated

    @dataclass(frozen=True)
    class Settings:
        """Its wicks."""

        wicks: Annotated[int, "1 to 4"] = 1
        """How many."""

    def open(settings: Settings) -> None:
        """Light it."""
'''


def test_a_driver_is_chosen_by_its_name_and_gets_its_table(file: Path, drop_driver: Drop) -> None:
    drop_driver("lights", "lantern", LANTERN)
    file.write_text("[lights]\ndrivers = ['lantern']\nlantern.wicks = 3")
    (lantern,) = schema.read(file).lights
    assert lantern.name == "lantern"
    assert lantern.settings == lantern.module.Settings(wicks=3)


def test_the_table_of_a_driver_that_is_not_chosen_must_be_right_too(
    file: Path, drop_driver: Drop
) -> None:
    drop_driver("lights", "lantern", LANTERN)
    file.write_text("[lights]\ndrivers = []\n[lights.lantern]\nwicks = 5")
    with pytest.raises(config.ConfigError, match=r":4: lights.lantern.wicks: expected .* 1 to 4"):
        schema.read(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lights]\ndrivers = ['lanten']", r'lights.drivers\[0\]: no "lanten" .* mean "lantern"'),
        ("[lights]\ndrivers = ['lantern', 'lantern']", r"drivers\[1\]: \"lantern\" is named twice"),
        ("[lights.lanten]", "lights.lanten: is no setting of .* did you mean `lantern`"),
        ("[lights]\ndrivers = ['wet']", "drivers.*the driver wet cannot be used here: No module"),
        ("[wake]\ndriver = 'lantern'", 'wake.driver: no "lantern" in wake; there are'),
        ("[tools]\ndrivers = ['hammer']", r'tools.drivers\[0\]: no "hammer" in tools'),
    ],
)
def test_a_driver_that_cannot_be_had_is_a_mistake(
    file: Path, drop_driver: Drop, text: str, message: str
) -> None:
    drop_driver("lights", "lantern", LANTERN)
    drop_driver("lights", "wet", "import water_that_nobody_has\nclass Settings: ...")
    file.write_text(text)
    with pytest.raises(config.ConfigError, match=message):
        schema.read(file)


def modes(settings: schema.Settings) -> list[str]:
    return [chosen.name for chosen in settings.echo]


def without(library: str, driver: str, patch: pytest.MonkeyPatch) -> None:
    """The library is not here, and the driver that needs it was never loaded."""
    patch.setitem(sys.modules, library, None)
    patch.delitem(sys.modules, f"edged.echo.{driver}", raising=False)


def test_an_echo_driver_is_named_or_the_best_of_this_board_are_tried(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pywebrtc_audio")
    monkeypatch.setattr(board, "echo_modes", lambda: ("dual", "speex", "gate"))
    file.write_text("[echo.gate]\ncaution = 2\n")
    settings = schema.read(file)
    assert modes(settings) == ["dual", "speex", "gate"]
    assert settings.echo_lacking == ""
    gate = settings.echo[2]
    assert gate.settings == gate.module.Settings(caution=2.0)
    file.write_text("[echo]\nmode = 'half_duplex'\nhalf_duplex.tail_ms = 600\n")
    (driver,) = schema.read(file).echo
    assert driver.name == "half_duplex"
    assert driver.settings == driver.module.Settings(tail_ms=600)
    monkeypatch.setattr(board, "echo_modes", lambda: ("speex", "gate"))
    file.write_text("")
    settings = schema.read(file)
    assert modes(settings) == ["speex", "gate"]
    assert settings.echo_lacking == "dual: wants four cores and 1 GB"


def test_auto_goes_without_a_library_that_is_not_here_and_forgives_its_table(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "echo_modes", lambda: ("dual", "speex", "gate"))
    without("pywebrtc_audio", "dual", monkeypatch)
    file.write_text("[echo.dual]\ntail_ms = 200\n")
    settings = schema.read(file)
    assert modes(settings) == ["speex", "gate"]
    needs = "dual needs a package more: pip install 'edged[aec]'"
    assert settings.echo_lacking == f"dual: {needs}"
    file.write_text("[echo]\nmode = 'dual'")
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    there = f"{file}:2: echo.mode: the driver dual cannot be used here: {needs}"
    assert str(caught.value) == there


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[echo]\nmode = 'spex'", '2: echo.mode: no "spex" in echo; did you mean "speex"? '),
        ("[echo.gate]\ncaution = 9", "2: echo.gate.caution: expected a number, 0.3 to 5, not 9"),
        ("[barge_in]\nevidence = 'none'", "2: barge_in.evidence: expected one of "),
        (
            "[conversation]\necho = 'half_duplex'",
            "2: conversation.echo: is now `mode` of the section [echo]; leave it out for the best",
        ),
        (
            "[conversation]\necho_tail_ms = 300",
            "2: conversation.echo_tail_ms: is now `tail_ms` of the table [echo.half_duplex]",
        ),
        ("[conversation.echo]", "1: conversation.echo: is now `mode` of the section [echo]"),
    ],
)
def test_a_mistake_about_the_echo_says_what_to_write(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith(f"{file}:{message}")


def test_an_echo_driver_of_ones_own_is_chosen_by_its_name(file: Path, drop_driver: Drop) -> None:
    drop_driver("echo", "lantern", LANTERN)
    file.write_text("[echo]\nmode = 'lantern'\nlantern.wicks = 2")
    (lantern,) = schema.read(file).echo
    assert (lantern.name, lantern.settings) == ("lantern", lantern.module.Settings(wicks=2))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ws://provider.example/v1", "in the clear"),
        ("https://api.openai.com/v1", "of the form wss://host/path"),
        ("wss://localhost:99999/v1", "of the form wss://host/path"),
        ("api.openai.com", "of the form wss://host/path"),
    ],
)
def test_an_address_to_which_no_line_can_be_opened_is_a_mistake_with_its_line(
    file: Path, url: str, problem: str
) -> None:
    file.write_text(f'[provider.openai]\nproject = ""\nurl = "{url}"')
    with pytest.raises(config.ConfigError, match=rf":3: provider.openai.url: .*{problem}"):
        schema.read(file)


def test_a_file_of_instructions_replaces_those_in_the_configuration(file: Path) -> None:
    (file.parent / "butler.txt").write_text("\nYou are a butler.\n")
    file.write_text(f"[session]\ninstructions_file = '{file.parent}/butler.txt'")
    assert schema.read(file).session.instructions == "You are a butler."


def test_instructions_that_cannot_be_read_are_a_mistake_with_its_line(file: Path) -> None:
    (file.parent / "picture.jpg").write_bytes(b"\xff\xd8")
    for name, problem in (("nobody.txt", "No such file"), ("picture.jpg", "decode")):
        file.write_text(f"[session]\nspeed = 1.1\ninstructions_file = '{file.parent}/{name}'")
        with pytest.raises(
            config.ConfigError, match=rf":3: session.instructions_file: .*{problem}"
        ):
            schema.read(file)


def test_buttons_are_bound_to_actions(file: Path) -> None:
    file.write_text("[buttons.actions.red]\npress = 'stop'\n[buttons.actions.talk]\nlong = 'none'")
    assert schema.read(file).actions == {
        "red": Bindings(press=Action.STOP),
        "talk": Bindings(long=Action.NONE),
    }


def test_a_button_that_is_held_to_talk_needs_one_line(file: Path) -> None:
    file.write_text("[buttons.actions.talk]\nhold = 'push_to_talk'")
    (bound,) = schema.read(file).actions.values()
    assert (bound.press, bound.hold) == (Action.TALK, Action.PUSH_TO_TALK)
    assert bound.long_press is Action.NONE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[buttons.actions.talk]\nhold = 'push_to_talk'\nlong = 'mute'",
            "3: buttons.actions.talk.long: a button that does something while it is held has no"
            ' long press: set `long` or `hold` to "none"',
        ),
        (
            "buttons.actions.red = {hold = 'volume_up', long = 'stop'}\n[buttons.actions.talk]",
            "1: buttons.actions.red: a button that does something while it is held has no"
            ' long press: set `long` or `hold` to "none"',
        ),
        (
            "[buttons.actions.talk]\npress = 'push_to_talk'",
            "1: buttons.actions.talk: push_to_talk lasts while a button is held:"
            ' set `hold = "push_to_talk"`, not `press`',
        ),
    ],
)
def test_a_button_cannot_mean_two_things_at_once(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    assert str(caught.value) == f"{file}:{message}"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "[buttons.gpio]\nwired.red.pin = 5",
            ['1: buttons.gpio: "red" does nothing: give it a table [buttons.actions.red]'],
        ),
        (
            "[buttons]\ndrivers = ['keyboard']\n[buttons.keyboard]\nbutton = 'space'",
            ['3: buttons.keyboard: "space" does nothing: give it a table [buttons.actions.space]'],
        ),
        (
            "[buttons.actions.red]\npress = 'stop'",
            ['1: buttons.gpio: "talk" does nothing: give it a table [buttons.actions.talk]'],
        ),
        (
            "[lights]\ndrivers = ['gpio']\n[lights.gpio]\nblue = 17",
            [
                "the defaults: buttons.gpio.wired.talk: is on GPIO 17, and so is lights.gpio.blue:"
                " give each a pin of its own"
            ],
        ),
        (
            "[lights]\ndrivers = ['apa102']\n[buttons.gpio]\nmute_switch.pin = 10",
            [
                "4: buttons.gpio.mute_switch: is on GPIO 10, and so is lights.apa102.bus:"
                " give each a pin of its own"
            ],
        ),
    ],
)
def test_a_button_has_an_action_and_a_pin_of_its_own(
    file: Path, text: str, messages: list[str]
) -> None:
    file.write_text(text)
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    told = [str(mistake).removeprefix(f"{file}:") for mistake in caught.value.mistakes]
    assert told == messages


def test_a_light_that_is_not_chosen_takes_no_pin(file: Path) -> None:
    file.write_text("[lights]\ndrivers = ['console']\n[lights.gpio]\nblue = 17")
    schema.read(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[wake]\ndriver = 'openwakeword'\n[conversation]\nstop_words = ['halt']",
            '4: conversation.stop_words[0]: "halt" is no word that openwakeword listens for;'
            " there are: hey_jarvis; give it a table [wake.openwakeword.words.halt]",
        ),
        (
            "[wake]\ndriver = 'button'\n[conversation]\nstop_words = ['halt']",
            '4: conversation.stop_words[0]: "halt" is no word that button listens for;'
            " there are: none",
        ),
        (
            "[volume]\nstep_db = 1\ndb = -50",
            "3: volume.db: db -50 is below lowest_db -42: set one of the two",
        ),
        (
            "[provider]\ndriver = 'xai'\n[session]\nmodel = 'grok-voice'\nvoice = 'ara'\n"
            "[conversation]\nwarm = 'soon'",
            "7: conversation.warm: xai bills by the minute, spoken or not: a session in advance"
            ' would cost; "never" is expected',
        ),
        (
            "[volume]\nlowest_db = 0",
            "2: volume.lowest_db: db -6 is below lowest_db 0: set one of the two",
        ),
        (
            "[link.websocket]\nclose_timeout_s = 10",
            "2: link.websocket.close_timeout_s: 10 is more than the 3 of [conversation], after"
            " which a line that does not close is given up: set one of the two",
        ),
        (
            "[conversation]\nclose_timeout_s = 0.5",
            "2: conversation.close_timeout_s: 0.5 is less than the 2 of [link.websocket], which"
            " a line may take to close: set one of the two",
        ),
    ],
)
def test_two_settings_that_cannot_go_together_are_a_mistake(
    file: Path, text: str, message: str
) -> None:
    file.write_text(text)
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    assert str(caught.value) == f"{file}:{message}"


def test_a_stop_word_with_a_model_of_its_own_is_none(file: Path) -> None:
    words = "[wake.openwakeword.words.hey_jarvis]\n[wake.openwakeword.words.alexa]\n"
    file.write_text(f"{words}[conversation]\nstop_words = ['alexa']")
    assert schema.read(file).conversation.stop_words == ("alexa",)


DEAF = "[provider]\ndriver = 'legacy'\n[provider.legacy]\ndetects_turns = false\n"
HELD = "[buttons.actions.talk]\nhold = 'push_to_talk'\n"


def test_a_server_that_hears_nobody_finish_wants_a_button_and_no_wake_word(file: Path) -> None:
    file.write_text(DEAF)
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    told = str(caught.value)
    assert f"{file}:4: provider.legacy.detects_turns: the server hears nobody finish" in told
    assert 'give a button hold = "push_to_talk"' in told
    assert "wake.driver: the server hears nobody finish" in told
    file.write_text(f"{DEAF}[wake]\ndriver = 'button'\n{HELD}")
    assert schema.read(file).provider.name == "legacy"


def test_the_control_socket_is_in_the_services_own_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/parlour:/run/else")
    assert sections.Control().path == Path("/run/parlour/control")
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    assert sections.Control().path == Path("/run/edged/control")
    assert sections.Control("/tmp/x").path == Path("/tmp/x")
