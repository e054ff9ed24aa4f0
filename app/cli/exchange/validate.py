"""`maskwright validate`: check a VISOR JSON, defect by defect."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from app.cli.exchange.parsers import FIRST_NOTES
from app.errors import UsageError
from app.storage.formats.visor.records import read_raw
from app.storage.formats.visor.release.tables import names_in, read_mapping
from app.storage.formats.visor.validation.validate import validate


def run(arguments: argparse.Namespace) -> int:
    """Print every defect, and some notes of each kind; 1 where there is a defect."""
    names = names_in(read_mapping(arguments.mapping)) if arguments.mapping else None
    frames = _frames(arguments.frames) if arguments.frames else None
    if frames is not None and names is None:
        raise UsageError("--frames says which frames the mapping's objects are on: give --mapping.")
    found = validate(read_raw(arguments.file), names, frames)
    defects = sum(not defect.harmless for defect in found)
    notes = f", {len(found) - defects} notes" if len(found) > defects else ""
    seen: Counter[str] = Counter()
    for defect in found:
        seen[defect.rule] += defect.harmless
        if not defect.harmless or arguments.notes or seen[defect.rule] <= FIRST_NOTES:
            sys.stdout.write(f"{defect}\n")
    if defects:
        sys.stderr.write(
            f"maskwright: {arguments.file} has {defects} defect(s){notes}. Correct those above.\n"
        )
        return 1
    sys.stdout.write(f"{arguments.file} is sound{notes}.\n")
    return 0


def _frames(root: Path) -> dict[str, list[str]]:
    """Return subsequence -> the stems of its frames. Raises UsageError."""
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder. Give JPEGImages/480p or Annotations/480p.")
    folders = [each for each in sorted(root.iterdir()) if each.is_dir()]
    return {folder.name: [file.stem for file in folder.glob("[!.]*.*")] for folder in folders}
