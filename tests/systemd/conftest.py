"""A machine to install on, once for all tests that want one."""

import subprocess
import sys

import pytest

from .machine import Machine, do, why_not

THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def services_python() -> str:
    """The version of the Python that a service runs with."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    command = ["/usr/bin/python3", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A fresh copy of the machine the tests run on; whoever changes anything takes another."""
    if services_python() != THIS:
        pytest.skip(f"a service runs with Debian's own Python, not with {THIS}")
    if reason := why_not(tmp_path_factory.mktemp("tried")):
        pytest.skip(reason)
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="session")
def stocked(machine: Machine) -> Machine:
    """All that is fetched from elsewhere is there; from here on there is no network."""
    told = machine.run("scripts/wheels", ".cache/wheels", online=True)
    assert told.returncode == 0, told.stdout
    return machine


@pytest.fixture(scope="session")
def installed(stocked: Machine, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """With edged on it; what the installer said is in the file `said`."""
    house = Machine(tmp_path_factory.mktemp("installed"), like=stocked)
    said = do(house, "SUDO_USER=games scripts/install --wheels .cache/wheels")
    (house.home / "said").write_text(said)
    return house
