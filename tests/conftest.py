"""What all tests share: how hard they are tried, and how drivers are dropped into a folder."""

import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quick", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("EDGED_HYPOTHESIS", "quick"))

Drop = Callable[[str, str, str], None]
"""Takes a kind, a name and the text of a driver's file."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes a machine of its own runs only where it is asked for."""
    if "appliance" not in config.option.markexpr:
        asked = [item for item in items if item.get_closest_marker("appliance") is None]
        if len(asked) < len(items):
            config.hook.pytest_deselected(items=[item for item in items if item not in asked])
        items[:] = asked


@pytest.fixture(autouse=True)
def _loops_that_complain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debug mode finds forgotten awaits; in the room it would cost the time that is measured."""
    if request.node.get_closest_marker("room") is None:
        monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")


@pytest.fixture
def drop_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drop]:
    """Puts a driver into a folder of its own that belongs to `edged.<kind>` for this test."""
    dropped = []

    def drop(kind: str, name: str, text: str) -> None:
        package = importlib.import_module(f"edged.{kind}")
        folder = tmp_path / "dropped" / kind
        folder.mkdir(parents=True, exist_ok=True)
        if str(folder) not in package.__path__:
            monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        dropped.append((package, name))

    yield drop
    for package, name in dropped:
        sys.modules.pop(f"{package.__name__}.{name}", None)
        if hasattr(package, name):
            delattr(package, name)
