"""What is installed: exact versions, by hash, from wherever this machine gets its packages."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

import edged

HERE = Path(__file__).parent.parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = ("3.11", "3.13")
EXTRAS = ("pi", "aec", "mcp", "microwakeword")
LISTS = [
    *(HERE / "scripts" / f"requirements-{name}.txt" for name in ("build", *EXTRAS)),
    *(HERE / folder / f"requirements-{p}.txt" for folder in ("scripts", "tests") for p in PYTHONS),
]


def pins(file: Path) -> dict[str, str]:
    """Versions by normalised name."""
    found = re.findall(r"^([\w.-]+)==(\S+)", file.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def names(requirements: list[str]) -> set[str]:
    matches = [re.match(r"[\w.-]+", line) for line in requirements]
    return {re.sub(r"[-_.]+", "-", found[0]).lower() for found in matches if found}


@pytest.mark.parametrize("file", LISTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_version_is_exact_and_has_hashes_and_no_address(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.split("\n", 1)[1])
    assert entries
    for entry in entries:
        assert re.fullmatch(
            r"[\w.-]+==\S+( ; [^\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", entry.strip()
        )
    assert not re.search(r"://|@|--(extra-)?index|--find-links", text)


@pytest.mark.parametrize("python", PYTHONS)
def test_everything_needed_is_in_the_lists(python: str) -> None:
    run = pins(HERE / "scripts" / f"requirements-{python}.txt")
    assert names(PROJECT["project"]["dependencies"]) <= run.keys()
    assert not {"scipy", "scikit-learn", "tqdm"} & run.keys()
    test = pins(HERE / "tests" / f"requirements-{python}.txt")
    assert names(PROJECT["dependency-groups"]["dev"]) <= test.keys()
    build = pins(HERE / "scripts" / "requirements-build.txt")
    for other in (test, build):
        assert {name: run[name] for name in other.keys() & run.keys()}.items() <= other.items()


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_an_extra_needs_is_in_its_list(extra: str) -> None:
    wanted = names(PROJECT["project"]["optional-dependencies"][extra])
    listed = pins(HERE / "scripts" / f"requirements-{extra}.txt")
    assert wanted <= listed.keys()
    for python in PYTHONS:
        run = pins(HERE / "scripts" / f"requirements-{python}.txt")
        test = pins(HERE / "tests" / f"requirements-{python}.txt")
        assert not listed.keys() & run.keys(), "one version of each"
        assert extra == "pi" or listed.items() <= test.items()


def test_the_installer_offers_every_extra_but_the_pins_which_it_always_brings() -> None:
    offered = re.search(r"^extras=\((.*)\)$", (HERE / "scripts/_layout").read_text(), re.M)
    assert offered
    assert {"pi", *offered[1].split()} == set(EXTRAS)
    assert set(EXTRAS) == PROJECT["project"]["optional-dependencies"].keys()


@pytest.mark.parametrize("extra", ["aec", "mcp", "microwakeword"])
def test_what_an_extra_brings_is_what_the_tests_try(extra: str) -> None:
    assert set(PROJECT["project"]["optional-dependencies"][extra]) <= set(
        PROJECT["dependency-groups"]["dev"]
    )


def test_this_environment_has_the_versions_of_its_list() -> None:
    python = "3.13" if sys.version_info >= (3, 13) else "3.11"
    for name, pinned in pins(HERE / "scripts" / f"requirements-{python}.txt").items():
        assert version(name) == pinned, name


def test_nothing_is_missing_but_what_only_the_code_of_openwakeword_needs() -> None:
    # The tests' own rooms need scipy, which edged does without.
    told = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert sorted(told.stdout.splitlines()) == [
        f"openwakeword 0.4.0 requires {name}, which is not installed."
        for name in ("scikit-learn", "tqdm")
    ]


def test_the_version_is_written_once() -> None:
    assert distribution("edged").version == edged.__version__
    assert f'"{edged.__version__}"' not in (HERE / "pyproject.toml").read_text(encoding="utf-8")


def test_changes_are_told() -> None:
    text = (HERE / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## Unreleased\n\n- \S", text, re.M)


def test_the_licence_is_here_whole() -> None:
    text = (HERE / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert text.rstrip().endswith("limitations under the License.")


def tracked() -> list[Path]:
    """Every file that belongs to the project."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=HERE,
        capture_output=True,
        check=True,
    )
    return [HERE / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_knows_a_machine_or_a_registry() -> None:
    # Split, so that this file does not name them itself.
    hosts = ["pythonhosted" + ".org", "pypi" + ".org", "piwheels" + ".org", "index" + "-url"]
    places = ["/root" + "/", "/opt" + "/pypi", "/opt" + "/wheels", "/work" + "/", f"{HERE}/"]
    words = [*hosts, *places]
    unwanted = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}" for word in words))
    found = []
    for file in tracked():
        if not file.is_file():
            continue
        text = file.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{file.relative_to(HERE)}: {match[0]}" for match in unwanted.finditer(text)]
    assert not found
