"""The picture of the states in the README is the one the tables draw."""

import re
from pathlib import Path

from edged.core.machines import diagram

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_tables() -> None:
    text = README.read_text() if README.exists() else ""
    pictures = re.findall(r"^```mermaid\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert diagram() in pictures, (
        "README.md does not show the state tables as they are; paste this:\n\n"
        f"```mermaid\n{diagram()}```\n"
    )
