"""The unmodified daemon uses its tools: what the provider is answered, and what rings later."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.stage import KEY
from edged.simulator.provider.script import Items
from edged.simulator.server import Call, Options, Server, serve

pytestmark = pytest.mark.evenings

CONFIGURATION = """
[sound]
driver = "wavefile"
[lights]
drivers = []
[buttons]
drivers = []
[wake]
driver = "button"
[control]
socket = "{folder}/control"
[[tools.command]]
name = "lamp"
description = "Switches the lamp."
argv = ["/bin/sh", "-c", "cat; echo; echo lit; exec sleep {nap_s} >&- 2>&-"]
timeout_s = {patience_s}
[tools.command.parameters.properties.on]
type = "boolean"
[provider.openai]
url = "{url}"
"""


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "STATE_DIRECTORY": str(folder / "state"), "OPENAI_API_KEY": KEY}


def configure(folder: Path, url: str, patience_s: float = 20.0, nap_s: int = 1000) -> Path:
    file = folder / "edged.toml"
    file.write_text(
        CONFIGURATION.format(folder=folder, url=url, patience_s=patience_s, nap_s=nap_s)
    )
    return file


def napping(nap_s: int) -> bool:
    """Whether there is a program that sleeps for so long."""
    words = f"sleep\0{nap_s}\0".encode()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if file.read_bytes() == words:
                return True
    return False


async def type(verb: str, folder: Path) -> None:
    command = [sys.executable, "-m", "edged", verb, "--socket", str(folder / "control")]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=20)


def answered(server: Server) -> dict[str, str]:
    """What the provider was told by each tool, by the tool's name."""
    items = [
        entry.details["item"]
        for entry in server.log
        if entry.direction == "in" and entry.type == "conversation.item.create"
    ]
    outputs = {item["call_id"]: item["output"] for item in items if "call_id" in item}
    calls = [
        entry.details["item"]
        for entry in server.log
        if entry.direction == "out" and entry.type == "response.output_item.done"
    ]
    return {
        item["name"]: outputs[item["call_id"]]
        for item in calls
        if item["type"] == "function_call" and item["call_id"] in outputs
    }


def test_a_timer_is_set_in_a_conversation_and_rings_offline_in_the_next_life(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        asked = Items(
            [
                Call("set_timer", '{"seconds": 600, "name": "tea"}'),
                Call("lamp", '{"on": true}'),
                Call("remember", '{"text": "Anna takes milk."}'),
            ]
        )
        said = Options(answers=[asked, "The tea will be ready."], voice="melody", detector="energy")
        async with await serve(said) as server:
            file = configure(tmp_path, server.url, patience_s=0.5)
            async with Daemon(file, environment(tmp_path), tmp_path, undisturbed=False) as speaker:
                await type("wake", tmp_path)
                await speaker.reaches("listening")
                server.hears_speech()
                await speaker.reaches("hearing")
                server.hears_silence()
                await speaker.reaches("working")
                await speaker.reaches("speaking")
                told = answered(server)
                assert json.loads(told["set_timer"]) == {"set": "tea", "seconds": 600}
                assert json.loads(told["remember"]) == {"remembered": "Anna takes milk."}
                assert (
                    json.loads(told["lamp"])["error"] == "lamp: it did not end within 0.5 seconds"
                )
                await speaker.stop()
                assert speaker.process.returncode == 0, speaker.lines
        kept = tmp_path / "state" / "timers.json"
        (timer,) = json.loads(kept.read_text())
        kept.write_text(json.dumps([{**timer, "steady": timer["steady"] - 600}]))
        # Nobody answers at the discard port.
        file = configure(tmp_path, "ws://127.0.0.1:9/v1/realtime")
        async with Daemon(file, environment(tmp_path), tmp_path, undisturbed=False) as speaker:
            await speaker.says("rings")
            await speaker.stop()
            assert speaker.process.returncode == 0, speaker.lines
        assert json.loads(kept.read_text()) == []

    asyncio.run(story())


def test_a_program_ends_with_the_conversation_that_asked_for_it(tmp_path: Path) -> None:
    nap_s = 1_000_000 + os.getpid()

    async def story() -> None:
        said = Options(answers=[Call("lamp", "{}")], voice="melody", detector="energy")
        async with await serve(said) as server:
            file = configure(tmp_path, server.url, nap_s=nap_s)
            async with Daemon(file, environment(tmp_path), tmp_path, undisturbed=False) as speaker:
                await type("wake", tmp_path)
                await speaker.reaches("listening")
                server.hears_speech()
                await speaker.reaches("hearing")
                server.hears_silence()
                working = await speaker.reaches("working")
                async with asyncio.timeout(20):
                    while not napping(nap_s):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                await type("stop", tmp_path)
                await speaker.reaches("asleep", since=working)
                assert not napping(nap_s)
                await speaker.stop()
                assert speaker.process.returncode == 0, speaker.lines

    asyncio.run(story())


PANTRY = r"""
trap '' TERM
while read -r line; do
    id=${line##*'"id":'}
    id=${id%%[,\}]*}
    case $line in
        *'"initialize"'*) result='{"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
            "serverInfo": {"name": "pantry", "version": "1"}}' ;;
        *'"tools/list"'*) result='{"tools": [
            {"name": "count", "description": "Counts.", "inputSchema": {"type": "object"}},
            {"name": "fall", "description": "Falls.", "inputSchema": {"type": "object"}}]}' ;;
        *'"count"'*)
            known=$(env -u PWD -u _ -u SHLVL | cut -d= -f1 | sort | xargs)
            result="{\"content\": [{\"type\": \"text\", \"text\": \"3 eggs, $known\"}]}" ;;
        *'"fall"'*) echo the shelf breaks >&2; exec sleep NAP_S ;;
        *) continue ;;
    esac
    echo "{\"jsonrpc\": \"2.0\", \"id\": $id, \"result\": $result}" | tr -d '\n'
    echo
done
while :; do sleep NAP_S; done
"""


def test_a_server_of_tools_is_there_from_the_start_and_gone_with_the_speaker(
    tmp_path: Path,
) -> None:
    nap_s = 2_000_000 + os.getpid()
    text = PANTRY.replace("NAP_S", f"{nap_s}")
    server = "[[tools.server]]\nname = 'pantry'\ntimeout_s = 2\n"
    server += f"argv = ['/bin/sh', '-c', {json.dumps(text)}]\n"

    async def story() -> None:
        asked = Items([Call("pantry_count", "{}"), Call("clock", "{}"), Call("pantry_fall", "{}")])
        said = Options(answers=[asked, "Three."], voice="melody", detector="energy")
        async with await serve(said) as provider:
            file = configure(tmp_path, provider.url)
            file.write_text(file.read_text() + server)
            async with Daemon(file, environment(tmp_path), tmp_path, undisturbed=False) as speaker:
                await speaker.says("the tool server pantry offers pantry_count, pantry_fall")
                await type("wake", tmp_path)
                await speaker.reaches("listening")
                provider.hears_speech()
                await speaker.reaches("hearing")
                provider.hears_silence()
                await speaker.reaches("speaking")
                told = answered(provider)
                assert told["pantry_count"] == "3 eggs, LANG PATH"
                assert "timezone" in told["clock"]
                assert "did not answer within 2 seconds" in told["pantry_fall"]
                assert napping(nap_s)
                assert await speaker.stop() < 5
                assert speaker.process.returncode == 0, speaker.lines
            assert not napping(nap_s)

    asyncio.run(story())
