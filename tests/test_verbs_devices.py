"""What `edged devices` tells can be typed into the configuration."""

import re
from pathlib import Path

import pytest

from edged import cli, schema
from edged.sound import portaudio
from edged.sound._devices import Device

NAME = "A conference speakerphone with a very long name [black]: USB Audio, second (hw:11,0)"


def test_names_are_whole_and_belong_where_it_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(portaudio, "devices", lambda: [Device(7, NAME, 1, 2, 48000)])
    assert cli.main(["devices"]) == 0
    told = capsys.readouterr().out
    assert NAME in told
    where = re.search(r"in \[([a-z.]+)\]", told)
    assert where is not None
    file = tmp_path / "edged.toml"
    file.write_text(f"[{where[1]}]\nmicrophone = '{NAME}'\nspeaker = '7'\n")
    assert schema.read(file).sound.settings == portaudio.Settings(microphone=NAME, speaker="7")
