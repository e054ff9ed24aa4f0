"""The parsers of the commands about this machine and the weights on it."""

import argparse


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
    check = verbs.add_parser("verify", help="compare the weights here with their checksums")
    check.add_argument("names", metavar="NAME", nargs="*", help="which ones (default: all here)")


def configure_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `doctor`: there are none."""
