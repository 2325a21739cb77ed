"""The evening with a person in it: this machine's microphone and loudspeaker, our own provider."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ..simulator.evening.daemon import Daemon, DaemonFailed
from ..simulator.evening.stage import KEY
from ..simulator.provider.house import Options
from ..simulator.server import serve
from ._screen import console

_SETTINGS = """\
[provider.openai]
url = "{url}"

[lights]
drivers = []

[buttons]
drivers = []

[key]
file = "{folder}/key"

[control]
socket = "{folder}/control"
"""


async def live() -> int:
    """Tell the story line by line until one conversation is over; 0 if an answer was played."""
    screen = console()
    with tempfile.TemporaryDirectory(prefix="edged-live-") as temporary:
        folder = Path(temporary)
        async with await serve(Options()) as server:
            file = folder / "edged.toml"
            file.write_text(_SETTINGS.format(url=server.url, folder=folder))
            key = folder / "key"
            key.touch(mode=0o600)
            key.write_text(KEY)
            folders = {"RUNTIME_DIRECTORY": temporary, "STATE_DIRECTORY": temporary}
            environment = {**os.environ, **folders}
            daemon = Daemon(file, environment, folder)
            daemon.tell = Story(screen, daemon).tell
            try:
                async with daemon:
                    return await _conversation(daemon, screen)
            except DaemonFailed as failed:
                screen.print(f"edged demo: {failed}")
                return 1


async def _conversation(daemon: Daemon, screen: Console) -> int:
    await daemon.says("microphone")
    if daemon.state.startswith("trouble"):
        return 1
    screen.print('Say "hey Jarvis" and a question; Ctrl-C ends.')
    spoke = await daemon.reaches("speaking", timeout_s=600)
    await daemon.reaches("asleep", since=spoke + 0.01, timeout_s=600)
    return 0


@dataclass
class Story:
    """Prints each journal line once."""

    screen: Console
    daemon: Daemon
    told: int = 0

    def tell(self) -> None:
        for line in self.daemon.lines[self.told :]:
            self.screen.print(line.text, soft_wrap=True)
        self.told = len(self.daemon.lines)
