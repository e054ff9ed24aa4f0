"""`maskwright bench WHAT`: speed and memory, each kind in a module of its own."""

import argparse
from pathlib import Path

from app.cli.bench.parsers import KINDS
from app.storage.files.apart import check_apart


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for and print a table."""
    kind = KINDS[arguments.what]
    parser = kind.parser(f"bench {arguments.what}")
    parser.set_defaults(device=arguments.device, threads=arguments.threads, debug=arguments.debug)
    options = parser.parse_args(arguments.rest)
    given = vars(options)
    if (file := given.pop("json", None)) is not None:
        check_apart(file, (value for value in given.values() if isinstance(value, Path)))
    return kind.run(argparse.Namespace(**given, json=file))
