"""Read the configuration and say OK, or every mistake in it with its line."""

import argparse

from .. import schema, template


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which configuration, or the template of one."""
    schema.arguments(parser)
    parser.add_argument(
        "--template",
        action="store_true",
        help="print a configuration with every setting, its default and a sentence, and leave",
    )


def run(options: argparse.Namespace) -> int:
    """0 when the speaker would start with this configuration; mistakes are raised."""
    if options.template:
        print(template.text(), end="")
        return 0
    settings = schema.from_options(options)
    read = (
        ", ".join(str(file) for file in settings.files) or "no file, every setting at its default"
    )
    print(f"OK: {read}")
    return 0
