"""What outlives a restart: also a power cut, a full disk and somebody's cat on the keyboard."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from edged import cli, store
from edged.store import Store

from .closed import closed


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def kept(tmp_path: Path, warnings: list[str]) -> Store:
    return Store(tmp_path / "state", warnings.append)


def test_what_was_saved_is_there_after_a_restart(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    assert kept.write("sound", {"volume_db": -6})
    assert kept.write("sound", {"volume_db": -9})
    again = Store(tmp_path / "state", warnings.append)
    assert again.read("sound", dict[str, int], {}) == {"volume_db": -9}
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["sound.json"]
    assert (tmp_path / "state/sound.json").stat().st_mode & 0o077 == 0
    assert warnings == []


def test_the_first_evening_begins_with_the_defaults(kept: Store, warnings: list[str]) -> None:
    assert kept.read("sound", dict[str, int], {"volume_db": 0}) == {"volume_db": 0}
    assert warnings == []


@pytest.mark.parametrize("damage", [b"", b'{"volume_db": -', b"\0\0\0\0", b'{"volume_db":"loud"}'])
def test_a_damaged_file_is_kept_aside_and_nothing_is_lost(
    kept: Store, tmp_path: Path, warnings: list[str], damage: bytes
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for name in ("sound.json.damaged", "sound.json.damaged.2"):
        (state / "sound.json").write_bytes(damage)
        assert kept.read("sound", dict[str, int], {}) == {}
        assert (state / name).read_bytes() == damage
        assert name in warnings[-1]
    assert kept.write("sound", {"volume_db": 1})
    assert len(warnings) == 2
    assert kept.read("sound", dict[str, int], {}) == {"volume_db": 1}


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from edged.store import Store
    warnings = []
    store = Store(Path(sys.argv[1]), warnings.append)
    assert store.write("notes", ["old"])
    # To a file that may not grow a write fails as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
    assert not store.write("notes", ["x" * 100])
    assert not store.write("notes", ["x" * 200])
    assert len(warnings) == 1, warnings
    assert "cannot be saved" in warnings[0]
    assert store.read("notes", list[str], []) == ["x" * 200], "in this process it is known"
    assert Store(Path(sys.argv[1]), warnings.append).read("notes", list[str], []) == ["old"]
    assert [file.name for file in Path(sys.argv[1]).iterdir()] == ["notes.json"]
    assert store.write("notes", ["new"])
    assert not store.write("notes", ["x" * 100])
    assert len(warnings) == 2, warnings
"""


def test_a_full_disk_costs_one_warning_and_the_old_value_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path)], check=True)


def test_what_a_disk_refused_is_saved_once_it_takes_it(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    """Full for a moment: the newest of every value is owed, and nothing else is told of it."""
    state = tmp_path / "state"
    assert kept.write("sound", {"volume_db": 1})
    for name in ("sound.new", "notes.new"):
        (state / name).mkdir()
    for volume_db in (2, 3):
        assert not kept.write("sound", {"volume_db": volume_db})
    assert not kept.write("notes", ["bins"])
    assert set(kept.owed) == {"sound", "notes"}
    (state / "sound.new").rmdir()
    kept.again()
    assert Store(state, pytest.fail).read("sound", dict[str, int], {}) == {"volume_db": 3}
    kept.again()
    assert len(warnings) == 1, "it is told once until everything is saved"
    (state / "notes.new").rmdir()
    kept.again()
    assert kept.owed == {}
    assert Store(state, pytest.fail).read("notes", list[str], []) == ["bins"]
    (state / "sound.new").mkdir()
    assert not kept.write("sound", {"volume_db": 4})
    assert len(warnings) == 2, "the next trouble is told of"


def test_what_is_saved_after_all_is_not_overtaken_by_what_was_refused(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    fresh = tmp_path / "state" / "sound.new"
    fresh.mkdir(parents=True)
    assert not kept.write("sound", {"volume_db": 1})
    fresh.rmdir()
    assert kept.write("sound", {"volume_db": 2})
    kept.again()
    found = Store(tmp_path / "state", pytest.fail).read("sound", dict[str, int], {})
    assert found == {"volume_db": 2}
    assert len(warnings) == 1


def test_the_next_one_in_this_process_knows_what_the_disk_refused(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    fresh = tmp_path / "state" / "sound.new"
    fresh.mkdir(parents=True)
    assert not kept.write("sound", {"volume_db": 1})
    heir = Store(tmp_path / "state", pytest.fail, kept.owed)
    assert heir.read("sound", dict[str, int], {}) == {"volume_db": 1}
    heir.again()
    fresh.rmdir()
    heir.again()
    assert heir.owed == {}
    found = Store(tmp_path / "state", pytest.fail).read("sound", dict[str, int], {})
    assert found == {"volume_db": 1}


def test_a_root_that_cannot_be_written_costs_one_warning(warnings: list[str]) -> None:
    kept = Store(Path("/proc/edged"), warnings.append)
    assert not kept.write("sound", {})
    assert not kept.write("notes", {})
    assert kept.read("chimes", dict[str, int], {"volume_db": 3}) == {"volume_db": 3}
    assert len(warnings) == 1


def test_a_save_that_a_kill_interrupted_is_completed_where_it_was_whole(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    """The new value waits for the disk, the old one is there: nobody was told of either."""
    assert kept.write("sound", {"volume_db": 1})
    fresh = tmp_path / "state" / "sound.new"
    for piece in (b"", b'{"volume_db":', b"\0" * 15, b'{"volume_db":"loud"}', b"\xff"):
        fresh.write_bytes(piece)
        assert kept.read("sound", dict[str, int], {}) == {"volume_db": 1}
    fresh.write_bytes(b'{"volume_db":2}')
    assert kept.read("sound", dict[str, int], {}) == {"volume_db": 2}
    assert not fresh.exists()
    assert kept.read("sound", dict[str, int], {}) == {"volume_db": 2}
    assert warnings == []


def test_a_file_that_cannot_be_read_is_not_written_over(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    (tmp_path / "state" / "sound.json").mkdir(parents=True)
    (tmp_path / "state" / "sound.json" / "within").touch()
    assert kept.read("sound", dict[str, int], {}) == {}
    assert kept.write("sound", {"volume_db": 1})
    assert (tmp_path / "state" / "sound.json.damaged" / "within").exists()
    assert "cannot be read" in warnings[0]


def test_a_folder_that_may_not_be_entered_costs_a_warning_each_way(
    kept: Store, tmp_path: Path, warnings: list[str]
) -> None:
    assert kept.write("sound", {"volume_db": 1})
    with closed(tmp_path / "state"):
        assert kept.read("sound", dict[str, int], {}) == {}
        assert not kept.write("sound", {"volume_db": 2})
    read, written = warnings
    assert "cannot be put aside: Permission denied" in read
    assert "cannot be saved: Permission denied" in written
    assert Store(tmp_path / "state", warnings.append).read("sound", dict[str, int], {}) == {
        "volume_db": 1
    }


HOLDER = """
    import sys
    from pathlib import Path
    from edged import store
    with store.claim(Path(sys.argv[1])):
        print("mine", flush=True)
        sys.stdin.read()
"""


def test_a_state_directory_is_one_speakers_for_as_long_as_it_lives(tmp_path: Path) -> None:
    """Two would write over each other; one that was killed keeps nobody out."""
    state = tmp_path / "state"
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        with pytest.raises(store.Claimed, match=f"another edged keeps its state in {state}") as no:
            store.claim(state)
        assert "systemctl stop edged" in no.value.hint
        assert Store(state, pytest.fail).write("calibration", {}), "who only passes by may write"
        os.kill(other.pid, signal.SIGKILL)
    assert (state / "lock").stat().st_mode & 0o077 == 0, "nobody else keeps it out"
    for _ in range(2):
        with store.claim(state), pytest.raises(store.Claimed):
            store.claim(state)


def test_where_nothing_can_be_kept_nobody_is_kept_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "state" / "lock").mkdir(parents=True)
    for folder in (Path("/proc/edged"), tmp_path / "file" / "state", tmp_path / "state"):
        with store.claim(folder), store.claim(folder):
            pass


WRITER = """
    import sys
    from pathlib import Path
    from edged.store import Store
    store = Store(Path(sys.argv[1]), print)
    for number in range(10**9):
        assert store.write("count", {"number": number, "padding": "x" * 20_000})
        print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_the_last_value_or_the_one_before(
    tmp_path: Path, kept: Store, warnings: list[str]
) -> None:
    """`kill -9` stands for the power cut; that the bytes reach the disk is fsync's promise."""
    state = tmp_path / "state"
    for life in range(8):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(state)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            # Each life ends somewhere else within a write: nobody waits for the writer here.
            for _ in range(3 + 7 * life):
                assert writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
            said = [int(line) for line in writer.stdout.read().splitlines() if line]
        found = kept.read("count", dict[str, int | str], {})
        assert len(str(found["padding"])) == 20_000
        last = max(said, default=2 + 7 * life)
        assert found["number"] in (last, last + 1)
    assert warnings == []


def test_every_save_reaches_the_disk_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, then name, then folder: another order loses the value in a power cut."""
    done: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        done.append(Path(f"/proc/self/fd/{handle}").resolve().name)
        real_fsync(handle)

    def replace(self: Path, target: Path) -> Path:
        done.append(f"{self.name} -> {target.name}")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    assert Store(tmp_path / "state", print).write("sound", {})
    assert done == ["sound.new", "sound.new -> sound.json", "state"]


def test_where_the_state_is() -> None:
    assert store.folder({"STATE_DIRECTORY": "/var/lib/edged:/x"}) == Path("/var/lib/edged")
    assert store.folder({"XDG_STATE_HOME": "/home/ada/s"}) == Path("/home/ada/s/edged")
    assert store.folder({}) == Path.home() / ".local/state/edged"


def test_a_user_without_a_home_is_told_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert cli.main(["usage"]) == cli.FAILED
    said = capsys.readouterr().err
    assert "there is no place for what is remembered" in said
    assert "set STATE_DIRECTORY" in said
