"""Pages of the guide that run as written: each `sh` block of theirs, in the folder of a clone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run_page(name: str, clone: Path, home: Path) -> str:
    """Run a page's blocks one after the other in one shell, and return what they print."""
    blocks = _BLOCK.findall((ROOT / "resources" / "guide" / name).read_text(encoding="utf-8"))
    assert len(blocks) == 2
    (clone / "resources").symlink_to(ROOT / "resources")
    program = clone / "bin" / "maskwright"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m app "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e"],
        input="\n".join(blocks),
        cwd=clone,
        env={**os.environ, "PATH": path, "MASKWRIGHT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.name == "nt", reason="the pages are written for a Unix shell")
@pytest.mark.timeout(900)  # each command starts the program anew
@pytest.mark.parametrize("page", ["sam2-finetuning.md", "css-segment.md"])
def test_the_page_runs_as_written(page: str, tmp_path: Path, home: Path) -> None:
    said = run_page(page, tmp_path, home)
    assert "The weights are in" in said
    assert re.search(r"^my-\w+: use it with --model my-", said, re.MULTILINE)
    assert len(list((tmp_path / "try" / "masks").glob("*.png"))) == 6
    assert re.search(r"^my-\w+: removed", said, re.MULTILINE)
    if page == "css-segment.md":
        assert "J&F" in said
