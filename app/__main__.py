"""The `maskwright` command: `maskwright --help`."""

import sys


def main() -> int:
    """Run the command line and return its exit status."""
    try:
        # Here, so that `python -m app` is importable without numpy and can be stopped meanwhile.
        from app.cli.main import run  # noqa: PLC0415

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("maskwright: Stopped. To do it after all, run the same command again.\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
