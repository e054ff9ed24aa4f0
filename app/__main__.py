"""The `maskwright` command: `maskwright --help`."""

import sys


def main() -> int:
    """Run the command line and return its exit status."""
    from app.cli.main import run  # noqa: PLC0415  (keeps `python -m app` importable without numpy)

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
