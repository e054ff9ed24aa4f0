"""The constructed VISOR files that the tests share."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "visor"
SPARSE = FOLDER / "P99_101.json"
DENSE = FOLDER / "P99_101_interpolations.json"
SUBMISSION = FOLDER / "val_submission.json"


def load(path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return a parsed file."""
    return json.loads(path.read_bytes())


def expected() -> Any:  # noqa: ANN401 - JSON
    """Return what the official conversion and evaluation give."""
    return load(FOLDER / "expected.json")
