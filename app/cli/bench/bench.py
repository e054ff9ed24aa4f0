"""`maskwright bench WHAT`: speed and memory, each kind in a module of its own."""

import argparse

from app.cli.bench.parsers import KINDS


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for and print a table."""
    kind = KINDS[arguments.what]
    parser = kind.parser(f"bench {arguments.what}")
    parser.set_defaults(device=arguments.device, threads=arguments.threads, debug=arguments.debug)
    return kind.run(parser.parse_args(arguments.rest))
