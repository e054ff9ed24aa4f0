"""`maskwright validate`: check a VISOR JSON, defect by defect."""

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, help="a VISOR JSON: sparse, dense or a submission")


def run(arguments: argparse.Namespace) -> int:
    """Print every defect; 1 where there is one."""
    from app.storage.visor.records import read_json  # noqa: PLC0415 - keeps --help quick
    from app.storage.visor.validate import validate  # noqa: PLC0415

    found = validate(read_json(arguments.file))
    sys.stdout.writelines(f"{defect}\n" for defect in found)
    defects = sum(not defect.harmless for defect in found)
    notes = f", {len(found) - defects} notes" if len(found) > defects else ""
    if defects:
        sys.stderr.write(
            f"maskwright: {arguments.file} has {defects} defect(s){notes}. Correct those above.\n"
        )
        return 1
    sys.stdout.write(f"{arguments.file} is sound{notes}.\n")
    return 0
