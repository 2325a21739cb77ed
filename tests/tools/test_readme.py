"""The program that the README shows, as somebody would try it."""

import asyncio
import json
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from edged import programs, schema
from edged.servers import Server
from edged.tools._offer import Listed, offered
from edged.tools._reach import Reach
from edged.tools._toolbox import Toolbox, open
from edged.tools.notes import Settings

from .stand import SHIPPED

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n## Tools\n")[1].split("\n## ")[0]


class Lamp(BaseHTTPRequestHandler):
    """Answers as Tasmota does."""

    def do_GET(self) -> None:
        state = self.path.partition("Power%20")[2].upper()
        self.send_response(200 if state in ("ON", "OFF") else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"POWER": state}, separators=(",", ":")).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def lamp() -> Iterator[str]:
    """Its address."""
    with HTTPServer(("127.0.0.1", 0), Lamp) as server:
        server_thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        server_thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server_thread.join()


@pytest.fixture
def tools(tmp_path: Path, lamp: str, monkeypatch: pytest.MonkeyPatch) -> Toolbox:
    """Those of a speaker that is configured so."""
    configured, _ = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
    (text,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    program = tmp_path / "lamp"
    program.write_text(
        text.replace("#!/usr/bin/python3", f"#!{sys.executable}").replace("http://lamp.local", lamp)
    )
    program.chmod(0o755)
    (tmp_path / "edged.toml").write_text(configured)
    settings = schema.read(tmp_path / "edged.toml")
    (command,) = settings.extras.command
    assert command.argv == ("/usr/local/bin/lamp",)
    # Where root runs the tests nobody may not start the Python that they run in.
    monkeypatch.setattr(programs, "nobody", dict)
    mine = replace(settings.extras, command=(replace(command, argv=(str(program),)),))
    return open(settings.tools, mine, Reach())


@pytest.mark.parametrize(("on", "state"), [(True, "ON"), (False, "OFF")])
def test_the_lamp_is_switched(tools: Toolbox, on: bool, state: str) -> None:
    told = asyncio.run(tools.call("lamp", json.dumps({"on": on})))
    assert told == f'{{"POWER":"{state}"}}'
    assert f'# {{"POWER":"{state}"}}' in SECTION or not on


def test_nonsense_does_not_reach_it(tools: Toolbox) -> None:
    told = json.loads(asyncio.run(tools.call("lamp", '{"on": "bright"}')))
    assert told["error"].startswith("the arguments do not fit: on: true or false is expected")
    told = json.loads(asyncio.run(tools.call("lamp", "")))
    assert told["error"] == 'the arguments do not fit: "on" is missing'


def test_the_pantry_can_be_configured_so(tmp_path: Path) -> None:
    _, configured = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "edged.toml").write_text(configured)
    (server,) = schema.read(tmp_path / "edged.toml").extras.server
    assert server == Server(
        "pantry", ("/usr/local/bin/pantry", "--cold"), ("count",), ("PANTRY_TOKEN",)
    )
    offer = offered(server.name, server.allowed_tools, [Listed("count", "", {})])
    assert [spec.name for spec in offer.tools.values()] == ["pantry_count"]


def test_its_table_names_what_there_is() -> None:
    named = re.findall(r"^\| (`.*?) \|", SECTION, re.MULTILINE)
    tools = {name for row in named for name in re.findall(r"`(\w+)`", row)}
    assert tools == {chosen.name for chosen in schema.read(SHIPPED).tools}


def test_its_numbers_are_true() -> None:
    limits = Settings()
    assert f"at most {limits.items} notes and {limits.all_characters} characters" in SECTION
    assert programs.Command("", "", ()).timeout_s == 10
