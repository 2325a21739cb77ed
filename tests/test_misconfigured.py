"""What nobody means to write in a configuration is told like any mistake, and ends no speaker."""

import asyncio
from pathlib import Path

import pytest

from edged import cli, config, schema

from .closed import closed
from .serviced import configured, serviced

DEEP = "[" * 3000 + "]" * 3000
DIGITS = "1" * 5000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edged.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[volume]\ndb = {DEEP}", "is not TOML: it is nested too deeply"),
        (f"[volume]\ndb = {DIGITS}", "is not TOML: a number in it has more than 4300 digits"),
        (
            f"[sound]\nframe_ms = 0x{'f' * 5000}",
            "2: sound.frame_ms: expected a whole number, 20 to 100, not something too long to show",
        ),
        (
            f"[volume]\ndb = [{{a{'.a' * 3000} = 1}}]",
            "2: volume.db: expected a number, -60 to 0, not ",
        ),
    ],
)
def test_what_is_beyond_all_measure_is_a_mistake(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    assert message in str(mistaken.value)


def test_two_layers_may_both_be_nested_too_deeply(file: Path) -> None:
    file.write_text(f"volume{'.a' * 3000} = 1")
    with pytest.raises(config.ConfigError, match="a: is no setting of"):
        schema.read(file, [f"volume{'.a' * 3000}=2"])


@pytest.mark.parametrize("value", [DEEP, DIGITS])
def test_an_assignment_beyond_all_measure_is_a_mistake(file: Path, value: str) -> None:
    file.touch()
    with pytest.raises(config.ConfigError, match=r"volume\.db: expected a number"):
        schema.read(file, [f"volume.db={value}"])


@pytest.mark.parametrize(
    "setting",
    [
        "session.instructions_file",
        "key.file",
        "key.credential",
        "control.socket",
        "speech.voice",
        "sound.wavefile.microphone",
        "link.websocket.ca_file",
    ],
)
def test_no_text_has_a_nul_in_it(file: Path, setting: str) -> None:
    file.write_text(f'{setting} = "a\\u0000b"')
    with pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    (mistake,) = mistaken.value.mistakes
    assert (mistake.line, mistake.key) == (1, setting)
    assert mistake.message == r'expected text, not "a\u0000b": no text can have a NUL in it'


@pytest.mark.parametrize("mapping", ["buttons.actions", "wake.openwakeword.words"])
def test_a_name_that_would_end_in_the_middle_is_a_mistake(file: Path, mapping: str) -> None:
    file.write_text(rf'{mapping}."a\u0000b" = {{}}')
    with pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    told = str(mistaken.value).splitlines()
    assert rf'{file}:1: {mapping}."a\u0000b": no name can have a NUL in it' in told


def test_a_socket_with_too_long_a_path_is_a_mistake(file: Path) -> None:
    longest = "/run/" + "c" * 102
    file.write_text(f'control.socket = "{longest}"')
    assert schema.read(file).control.path == Path(longest)
    file.write_text(f'control.socket = "{longest}c"')
    with pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    (mistake,) = mistaken.value.mistakes
    assert (mistake.line, mistake.key) == (1, "control.socket")
    assert mistake.message == "its path has more than 107 bytes"


@pytest.mark.parametrize("setting", ["session.instructions_file", "key.file", "control.socket"])
def test_a_file_in_the_home_of_nobody_is_a_mistake(file: Path, setting: str) -> None:
    file.write_text(f'{setting} = "~nosuch/x"')
    with pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    (mistake,) = mistaken.value.mistakes
    assert (mistake.line, mistake.key) == (1, setting)
    assert "~nosuch/x: nobody here is called nosuch" in mistake.message


def test_a_file_may_be_in_ones_own_home(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    (file.parent / "butler.txt").write_text("You are a butler.")
    file.write_text('control.socket = "~/control"\nsession.instructions_file = "~/butler.txt"')
    settings = schema.read(file)
    assert settings.control.path == file.parent / "control"
    assert settings.session.instructions == "You are a butler."


def test_a_model_in_the_home_of_nobody_is_told_at_the_start(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("""
        wake.openwakeword.words.hey.model = "~nosuch/x"
        sound.driver = "wavefile"
        lights.drivers = []
        buttons.drivers = []
    """)
    assert cli.main(["run", "--config", str(file)]) == cli.MISCONFIGURED
    assert "~nosuch/x: nobody here is called nosuch" in capsys.readouterr().err


@pytest.mark.parametrize("named", [True, False])
def test_a_configuration_that_may_not_be_looked_at_is_a_mistake(
    tmp_path: Path,
    named: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(schema, "FILE", folder / "edged.toml")
    schema.read()
    with closed(folder):
        status = cli.main(["check", *(["--config", str(schema.FILE)] if named else [])])
    assert status == cli.MISCONFIGURED
    assert f"{folder}/edged.toml: cannot be read: Permission denied" in capsys.readouterr().err


def test_drop_ins_that_may_not_be_looked_at_are_a_mistake(file: Path) -> None:
    file.write_text("")
    drop_ins = file.with_name("edged.toml.d")
    drop_ins.mkdir()
    schema.read(file)
    with closed(drop_ins), pytest.raises(config.ConfigError) as mistaken:
        schema.read(file)
    # Whose own folder may be closed to others, too.
    assert f"{drop_ins}: cannot be read: Permission denied" in str(mistaken.value).splitlines()


@pytest.mark.parametrize("file", ["/", ".", "/proc/1"])
def test_a_folder_is_no_configuration(file: str) -> None:
    with pytest.raises(config.ConfigError, match="cannot be read: Is a directory"):
        schema.read(Path(file))


def test_no_such_configuration_ends_a_speaker_that_runs(tmp_path: Path) -> None:
    right = configured(tmp_path).read_text()
    wrong = [
        'session.instructions_file = "~nosuch/x"',
        'key.file = "~nosuch/x"',
        r'key.file = "a\u0000b"',
        'wake.driver = "openwakeword"\nwake.openwakeword.words.hey.model = "~nosuch/x"',
        f"volume.db = {DEEP}",
        f"volume.db = {DIGITS}",
        f"volume.db = 0x{DIGITS}",
    ]

    async def story() -> None:
        async with serviced(tmp_path) as speaker:
            await speaker.says("microphone")
            for number, text in enumerate(wrong, 1):
                parlour = (
                    right.replace('[wake]\ndriver = "button"', "") if "wake" in text else right
                )
                (tmp_path / "edged.toml").write_text(f"{text}\n{parlour}")
                speaker.reload()
                await speaker.says("the old one stays", number)
            assert "asleep" in await speaker.types("status")
            await speaker.stops()

    asyncio.run(story())
