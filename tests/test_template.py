"""`config/edged.toml` lists every setting, and says the truth."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from edged import config, plugins, schema, template
from edged.fields import expected, sentences

FILE = Path(__file__).parent.parent / "config" / "edged.toml"

SHAPES = dict(schema.SECTIONS) | {
    f"{section}.{name}": plugins.load(folder, name).Settings
    for section, folder in schema.FOLDERS.items()
    for name in plugins.drivers(folder)
}


def test_the_file_is_what_edged_check_template_prints() -> None:
    assert FILE.read_text(encoding="utf-8") == template.text(), (
        "write it anew: edged check --template > config/edged.toml"
    )


def test_a_driver_whose_library_is_not_here_is_named_with_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)
    monkeypatch.delitem(sys.modules, "edged.echo.dual", raising=False)
    told = " ".join(template.text().replace("## ", "").split())
    assert "pip install 'edged[aec]' # [echo.dual] " in told
    assert "# [echo.speex] " in told


def test_as_it_is_it_gives_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    shipped, default = schema.read(FILE), schema.read(tmp_path / "empty.toml")
    for field in fields(schema.Settings):
        if field.name != "files":
            assert getattr(shipped, field.name) == getattr(default, field.name), field.name


def test_what_is_not_chosen_takes_no_memory() -> None:
    """Of the 512 MB that the smallest board has; the file as shipped names every driver's table."""
    chosen = ['wake.driver="button"', "lights.drivers=[]", "buttons.drivers=[]"]
    look = (
        "import json, pathlib, sys; from edged import schema;"
        "schema.read(pathlib.Path(sys.argv[1]), sys.argv[2:]); print(json.dumps(list(sys.modules)))"
    )
    told = subprocess.run(
        (sys.executable, "-c", look, FILE, *chosen), capture_output=True, text=True, check=True
    )
    loaded = json.loads(told.stdout)
    assert "edged.wake.button" in loaded
    assert not {"onnxruntime", "gpiozero"} & set(loaded)


def test_with_every_line_uncommented_it_still_gives_the_defaults(tmp_path: Path) -> None:
    live = re.sub(r"^# (?=\[|[a-z_0-9]+ = )", "", FILE.read_text(encoding="utf-8"), flags=re.M)
    (tmp_path / "live.toml").write_text(live)
    (tmp_path / "empty.toml").write_text("")
    told, default = schema.read(tmp_path / "live.toml"), schema.read(tmp_path / "empty.toml")
    for field in fields(schema.Settings):
        if field.name != "files":
            assert getattr(told, field.name) == getattr(default, field.name), field.name
    written = tomllib.loads(live)
    for name, shape in SHAPES.items():
        table: Any = written
        for key in name.split("."):
            table = table[key]
        assert {field.name for field in fields(shape)} <= table.keys(), name


@pytest.mark.parametrize("name", SHAPES)
def test_every_setting_has_a_sentence_and_a_type_that_can_be_said(name: str) -> None:
    everything_is_told(SHAPES[name], name)


def everything_is_told(shape: type, name: str) -> None:
    """Go into nested tables too."""
    assert shape.__doc__, name
    assert not shape.__doc__.startswith(f"{shape.__name__}("), f"{name} has no docstring"
    told = sentences(shape)
    hints = get_type_hints(shape, include_extras=True)
    for field in fields(shape):
        assert told.get(field.name, "").endswith("."), f"{name}.{field.name} has no sentence"
        assert expected(hints[field.name])
        inner = getattr(hints[field.name], "__args__", (hints[field.name],))[-1]
        if is_dataclass(inner):
            everything_is_told(inner, f"{name}.{field.name}")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SHAPES)
def test_every_default_is_allowed(name: str) -> None:
    schema_default = SHAPES[name]()
    document = config.Document()
    document.add_text(
        template._table(("x",), schema_default, "", live=True).replace("\n# ", "\n"), name
    )
    reader = config.Reader(document)
    assert reader.section(("x",), SHAPES[name]) == schema_default
    reader.finish()
