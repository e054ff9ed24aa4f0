"""The parsers of the commands about this machine and the weights on it."""

import argparse
from pathlib import Path


def configure_models(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="name, size, licence, source, present or not")
    get = verbs.add_parser("get", help="fetch weights into the per-user folder")
    get.add_argument("name", metavar="NAME")
    get.add_argument(
        "--accept-licence",
        action="store_true",
        help="accept a licence that forbids commercial use",
    )
    path = verbs.add_parser("path", help="print where the weights lie")
    path.add_argument("name", metavar="NAME")
    add = verbs.add_parser("add", help="keep a weights file of your own as a model with a name")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("--family", required=True, metavar="MODEL",
        help="the model that the file fits, such as lite; it must fit exactly")  # fmt: skip
    add.add_argument("--name", required=True, metavar="NAME", help="what to call it")
    remove = verbs.add_parser("remove", help="remove fetched weights, or your own")
    remove.add_argument("name", metavar="NAME")
    check = verbs.add_parser("verify", help="compare the weights here with their checksums")
    check.add_argument("names", metavar="NAME", nargs="*", help="which ones (default: all here)")


def configure_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `doctor`: there are none."""


def configure_desktop(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `desktop`."""
    parser.add_argument("--remove", action="store_true", help="take it out again")
