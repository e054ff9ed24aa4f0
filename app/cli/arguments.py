"""What options hold; argparse says what is wrong with one before any work begins."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from app.errors import UsageError
from app.storage.files.writing import check_file

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is at least `least`."""

    def number(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is too small: give {least} or more")
        return int(text)

    return number


def device(text: str) -> str:
    """Read the name of a device; whether it is there is for the model to say."""
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a device: use auto, cpu, cuda, cuda:N or mps"
        )
    return text


def output_file(text: str) -> Path:
    """Read where a file is to be written."""
    try:
        check_file(Path(text))
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(text)
