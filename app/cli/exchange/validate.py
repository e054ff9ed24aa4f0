"""`maskwright validate`: check a VISOR JSON, defect by defect."""

import argparse
import sys
from collections import Counter

from app.cli.exchange.parsers import FIRST_NOTES
from app.storage.formats.visor.records import read_json
from app.storage.formats.visor.validation.validate import validate


def run(arguments: argparse.Namespace) -> int:
    """Print every defect, and some notes of each kind; 1 where there is a defect."""
    found = validate(read_json(arguments.file))
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
