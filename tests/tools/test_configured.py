"""Programs and servers in the configuration: what is wrong with one is said with its line."""

from pathlib import Path

import pytest

from edged import config, schema, sections
from edged.core.settings import RemoteTools
from edged.programs import Command
from edged.servers import Server

LAMP = """
[[tools.command]]
name = "lamp"
description = "Switches the lamp."
argv = ["/usr/local/bin/lamp", "--now"]
timeout_s = 3
parameters.required = ["on"]
parameters.properties = { on = { type = "boolean" }, hue = { enum = [1, "a"] } }
"""


def mistakes(folder: Path, text: str) -> list[str]:
    """What is said of `text`, from the line on."""
    file = folder / "edged.toml"
    file.write_text(text.lstrip())
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    return [str(each).removeprefix(f"{file}:") for each in caught.value.mistakes]


def test_a_program_is_read_with_its_schema(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(
        LAMP + '[[tools.command]]\nname = "now"\ndescription = ""\nargv = ["/bin/date"]'
    )
    lamp, now = schema.read(file).extras.command
    assert lamp == Command(
        "lamp",
        "Switches the lamp.",
        ("/usr/local/bin/lamp", "--now"),
        {
            "required": ["on"],
            "properties": {"on": {"type": "boolean"}, "hue": {"enum": [1, "a"]}},
        },
        3.0,
    )
    assert now == Command("now", "", ("/bin/date",))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"lamp"', '"the lamp"', "2: tools.command[0].name: expected up to 64 letters"),
        ('name = "lamp"', "", "1: tools.command[0]: has no `name`"),
        ('argv = ["/usr', 'arg = ["/usr', "4: tools.command[0].arg: is no setting of"),
        (
            '["/usr/local/bin/lamp", "--now"]',
            '"lamp --now"',
            "4: tools.command[0].argv: expected a",
        ),
        ('["/usr/local/bin/lamp"', '["lamp"', "4: tools.command[0].argv: expected a list that"),
        (
            '["/usr/local/bin/lamp", "--now"]',
            "[]",
            "4: tools.command[0].argv: expected a list that",
        ),
        ('"--now"', '"\\u0000"', "4: tools.command[0].argv[1]: expected text, not"),
        ("= 3", "= 600", "5: tools.command[0].timeout_s: expected a number, 0.5 to 60"),
        (
            '"boolean"',
            '"bool"',
            "6: tools.command[0].parameters: is no JSON Schema of arguments: on: there is no t",
        ),
        ('["on"]', '["off"]', "6: tools.command[0].parameters: is no JSON Schema of arguments: "),
        (
            "= [1",
            "= [2026-01-01",
            "6: tools.command[0].parameters: is no JSON Schema of arguments: ",
        ),
    ],
)
def test_a_program_that_cannot_be_called_is_a_mistake(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    said = mistakes(tmp_path, LAMP.replace(old, new))
    assert any(each.startswith(told) for each in said), said


def test_two_programs_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, LAMP + LAMP)
    assert told == "10: tools.command[1].name: is the name of two programs"


def test_where_the_tools_were_named_before_is_said(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, "[session]\ntools = ['clock']")
    assert told == "2: session.tools: is now `drivers` of the section [tools]"


def test_a_server_is_named_with_what_may_be_called(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    server = '[[tools.remote]]\nserver_label = "docs"\nserver_url = "https://example.org/mcp"\n'
    file.write_text(f'{server}allowed_tools = ["search"]')
    assert schema.read(file).extras.remote == (
        RemoteTools("docs", "https://example.org/mcp", ("search",)),
    )
    (told,) = mistakes(tmp_path, server)
    assert told == "1: tools.remote[0]: has no `allowed_tools`: name those that may be called"
    (told,) = mistakes(tmp_path, server.replace("https", "http") + 'allowed_tools = ["a"]')
    assert told == "3: tools.remote[0].server_url: expected https://..."


def test_a_press_is_asked_for_only_where_somebody_can_press(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    server = '[[tools.remote]]\nserver_label = "docs"\nserver_url = "https://example.org/mcp"\n'
    server += 'allowed_tools = ["search"]\nrequire_approval = "button"\n'
    file.write_text(server)
    assert schema.read(file).extras.remote[0].require_approval == "button"
    (told,) = mistakes(tmp_path, server + '[buttons.actions.talk]\npress = "stop"\n')
    assert told == (
        "5: tools.remote[0].require_approval: "
        'no button can be pressed for it: give one press = "talk"'
    )
    grok = '[provider]\ndriver = "xai"\n[session]\nmodel = "grok-voice-think-fast-2.0"\n'
    grok += 'voice = "ara"\nturn_detection = "server_vad"\n'
    (told,) = mistakes(tmp_path, server + grok)
    assert "xai asks nobody before it calls a tool" in told


PANTRY = """
[[tools.server]]
name = "pantry"
argv = ["/usr/local/bin/pantry", "--cold"]
allowed_tools = ["count"]
environment = ["PANTRY_TOKEN"]
timeout_s = 3
"""


def test_a_server_on_this_machine_is_read(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(PANTRY)
    argv = ("/usr/local/bin/pantry", "--cold")
    assert schema.read(file).extras.server == (
        Server("pantry", argv, ("count",), ("PANTRY_TOKEN",), 3.0),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"pantry"', '"the pantry"', "2: tools.server[0].name: expected up to 24 letters"),
        ('["/usr', '["usr', "3: tools.server[0].argv: expected a list that begins with the who"),
        ('["/usr/local/bin/pantry", "--cold"]', "[]", "3: tools.server[0].argv: expected a list"),
        ("--cold", "\\u0000", "3: tools.server[0].argv[1]: expected text, not"),
        ("= 3", "= 600", "6: tools.server[0].timeout_s: expected a number, 0.5 to 60"),
        (
            "PANTRY_TOKEN",
            "OPENAI_API_KEY",
            "5: tools.server[0].environment: OPENAI_API_KEY leads to the provider's key",
        ),
        (
            "PANTRY_TOKEN",
            "CREDENTIALS_DIRECTORY",
            "5: tools.server[0].environment: CREDENTIALS_DIRECTORY leads to the provider's key",
        ),
    ],
)
def test_a_server_that_cannot_be_is_a_mistake(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    said = mistakes(tmp_path, PANTRY.replace(old, new))
    assert any(each.startswith(told) for each in said), said


def test_two_servers_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, PANTRY + PANTRY)
    assert told == "9: tools.server[1].name: is the name of two servers"


def test_what_a_server_needs_besides_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "find_spec", lambda name: None)
    (told,) = mistakes(tmp_path, PANTRY)
    assert told == "1: tools.server: needs a package more: pip install 'edged[mcp]'"
