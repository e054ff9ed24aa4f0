"""Which program made a figure."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).parents[3]


@cache
def program() -> str:
    """Return the program's version and, in a checkout, its commit."""
    try:
        number = version("maskwright")
    except PackageNotFoundError:
        number = "(not installed)"
    commit = _commit()
    return f"Maskwright {number}" + (f", commit {commit}" if commit else "")


def _commit() -> str | None:
    """Return the commit of the checkout that the program runs in, "+" where it is changed."""
    if not (_ROOT / ".git").exists():
        return None
    try:
        return subprocess.run(
            ["git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--exclude=*"],
            capture_output=True, check=True, text=True, timeout=10,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
