"""`maskwright --self-test`: the main job with no display, then what this machine lacks."""

import argparse
import sys
import tempfile
from pathlib import Path

from app.cli.demo.loop import run_loop
from app.cli.machine.doctor import findings
from app.errors import MaskwrightError
from app.storage.sample import sample_frames
from models.api import LoadOptions
from models.registry import FALLBACK


def run(arguments: argparse.Namespace) -> int:
    """Run the loop on the sample in a folder of its own, and return 0 where all of it worked."""
    if not sample_frames().is_dir():
        raise MaskwrightError("The sample clip is not part of this installation. Install it again.")
    options = LoadOptions(device=arguments.device, threads=arguments.threads)
    with tempfile.TemporaryDirectory(prefix="maskwright-") as folder:
        sys.stdout.write(run_loop(Path(folder), FALLBACK, options))
    lacking = [finding for finding in findings(arguments.device) if finding.advice]
    sys.stdout.writelines(finding.line() + "\n" for finding in lacking)
    broken = [finding.subject for finding in lacking if finding.is_fatal]
    if broken:
        raise MaskwrightError(f"The main job works; this does not: {', '.join(broken)}. See above.")
    sys.stdout.write("The main job works.\n")
    return 0
