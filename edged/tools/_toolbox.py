"""What the model may call: whatever it asks for and a tool does, text comes back."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Final, Protocol

from .. import programs
from ..arguments import read
from ..core.commands import Fact, warn
from ..core.settings import RemoteTools, ToolSpec
from ..programs import Command
from ..servers import Server
from ._library import loaded
from ._reach import Reach, Speaker
from ._tool import Kit, Tool, fitted, made

TIMEOUT_S: Final = 10.0
"""A tool that has not answered after this has failed: somebody is waiting in silence."""
_MOST: Final = 16_000
"""Characters of an answer; some four thousand tokens, paid for with each further turn."""
_MARGIN_S: Final = 3.0
"""What it may take to be rid of a program that did not end in its own time."""


class Chosen(Protocol):
    """A tool's file that the configuration names, with its settings: a `schema.Chosen`."""

    @property
    def module(self) -> ModuleType:
        """The file: it has `Settings` and `open(settings, reach) -> Kit`."""

    @property
    def settings(self) -> object:
        """An instance of its `Settings`."""


class Extras(Protocol):
    """The owner's own: a `sections.Tools`."""

    @property
    def command(self) -> Sequence[Command]:
        """Programs, each for one tool."""

    @property
    def server(self) -> Sequence[Server]:
        """Programs that stay, and have tools of their own."""


def open(chosen: Sequence[Chosen], extras: Extras, reach: Reach) -> "Toolbox":
    """The tools of a speaker; those of servers come once it lives."""
    kits = [each.module.open(each.settings, reach) for each in chosen]
    return Toolbox(kits, extras.command, reach, servers=extras.server)


def specs(
    chosen: Sequence[Chosen], commands: Sequence[Command], servers: Sequence[RemoteTools] = ()
) -> tuple[ToolSpec | RemoteTools, ...]:
    """The tools as the model is told of them, without a speaker; `servers` the provider calls."""
    kits = [each.module.open(each.settings, Reach()) for each in chosen]
    return (*Toolbox(kits, commands).specs(), *servers)


class Toolbox:
    """Calls tools by name; every failure that can be expected comes back as {"error": ...}.

    Calls are tasks of whoever makes them: none waits for another, and one that is cancelled leaves
    nothing behind.
    """

    def __init__(
        self,
        kits: Sequence[Kit],
        commands: Sequence[Command] = (),
        reach: Reach | None = None,
        timeout_s: float = TIMEOUT_S,
        servers: Sequence[Server] = (),
    ) -> None:
        self._kits = [*kits]
        self._servers = servers
        self._reach = reach or Reach()
        self._timeout_s = timeout_s
        functions = [made(each, farewell=kit.farewell) for kit in kits for each in kit.functions]
        tools = [*functions, *map(_program, commands)]
        self._own = {tool.spec.name: tool for tool in tools}

    @property
    def _tools(self) -> dict[str, Tool]:
        there = dict(self._own)
        for guest in (tool for kit in self._kits for tool in kit.tools()):
            # None takes the place of another: names of two servers may run into one.
            there.setdefault(guest.spec.name, guest)
        return there

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as the model is told of them, in the order of the configuration."""
        return tuple(tool.spec for tool in self._tools.values())

    def guests(self) -> tuple[ToolSpec, ...]:
        """Of these, those that come and go."""
        return tuple(spec for spec in self.specs() if spec.name not in self._own)

    def instructions(self) -> str:
        """What the model is to be told in a session that begins now, besides; "" for nothing."""
        parts = (kit.instructions() for kit in self._kits)
        return "\n\n".join(part for part in parts if part)

    def farewell(self, name: str) -> bool:
        """Whether that tool says goodbye: the conversation ends once the answer was heard."""
        return name in self._own and self._own[name].farewell

    async def serve(self, speaker: Speaker) -> None:
        """Do what tools do unasked, for `speaker`, until cancelled: a `runner.Duty`."""
        self._reach.feed = speaker.feed
        async with asyncio.TaskGroup() as group:
            for kit in self._kits:
                if kit.serve is not None:
                    group.create_task(kit.serve())
            if not self._servers:
                return
            try:
                guests = await loaded("_mcp")
            except ImportError as missing:
                speaker.tell(warn(Fact.PART_MISSING, f"no server of tools: {missing}"))
                return
            for server in self._servers:
                kit = guests.open(server, speaker.tell)
                self._kits.append(kit)
                group.create_task(kit.serve())

    async def call(self, name: str, arguments: str) -> str:
        """The tool's output, or its failure, as text for the model."""
        tools = self._tools
        tool = tools.get(name)
        if tool is None:
            there = ", ".join(tools) or "none"
            return _failure(f'there is no tool "{name}"; there are: {there}')
        try:
            sent = read(arguments)
        except ValueError as error:
            return _failure(f"the arguments cannot be read: {error}")
        try:
            given = fitted(tool, sent)
        except ValueError as error:
            return _failure(f"the arguments do not fit: {error}")
        patience_s = tool.timeout_s or self._timeout_s
        try:
            async with asyncio.timeout(patience_s):
                output = await tool.call(given)
        except TimeoutError:
            return _failure(f"{name} did not answer within {patience_s:g} seconds")
        except (programs.Failed, ValueError, TypeError, OSError) as error:
            return _failure(f"{name}: {error}")
        if len(output) > _MOST:
            return f"{output[:_MOST]}\n[cut here: {len(output)} characters]"
        return output


def _program(command: Command) -> Tool:
    """The owner's program as a tool."""
    schema = {"type": "object", "properties": {}, **command.parameters}
    spec = ToolSpec(command.name, command.description, schema)

    async def call(given: Mapping[str, Any]) -> str:
        return await programs.run(command, json.dumps(given))

    return Tool(spec, call, timeout_s=command.timeout_s + _MARGIN_S)


def _failure(problem: str) -> str:
    return json.dumps({"error": problem}, ensure_ascii=False)
