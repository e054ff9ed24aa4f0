"""Small projects for tests, of this process or another."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np

from app.core.document import Document, Entry, Key, Origin
from app.core.mask import Mask
from app.errors import ProjectError
from app.storage.project.project import Project

__all__ = ["SIZE", "Entry", "Key", "Mask", "Origin", "Path", "Project", "ProjectError", "created",
           "drawn", "np", "square"]  # fmt: skip

SIZE = (48, 160)


def square(at: int, size: tuple[int, int] = SIZE) -> Mask:
    pixels = np.zeros(size, np.bool_)
    pixels[3 : 9 + at % 20, at % 100 : at % 100 + 12] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


def drawn(at: int) -> Entry:
    return Entry(square(at), Origin.DRAWN)


def created(path: Path, frame_count: int = 60) -> Project:
    return Project.create(path, path.parent / "clip.mp4", frame_count, SIZE)


def reopened(path: Path) -> Document:
    project = Project.open(path)
    try:
        return project.load()
    finally:
        project.close()


def in_other_process(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Run Python code that has these test helpers at hand."""
    head = "import sys, time\nfrom tests.storage.projects import *\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
