"""What the bundles of all systems have in common: what goes in, and what stays out."""

import sys
from importlib.util import find_spec
from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ICON = ROOT / "resources" / "icons" / "maskwright.svg"
# CUDA computes on what a bundle cannot know of; the rest is for those who change the program.
_EXCLUDED = (
    "cuda", "nvidia", "triton", "ray", "spacy", "tensorboard", "tkinter", "matplotlib", "pandas",
    "IPython", "pytest", "_pytest", "hypothesis", "mypy", "torch.utils.tensorboard",
)  # fmt: skip


def analysis() -> dict[str, object]:
    """Return the arguments of PyInstaller's Analysis."""
    sys.path.insert(0, str(ROOT))
    return {
        "pathex": [str(ROOT)],
        "hiddenimports": [*collect_submodules("app"), *collect_submodules("models")],
        "datas": [
            (str(ROOT / "resources"), "app/resources"),
            *copy_metadata("maskwright"),
            *(pair for name in ("sam2", "qtawesome") for pair in collect_data_files(name)),
        ],
        "excludes": [name for name in _EXCLUDED if find_spec(name.partition(".")[0])],
        "runtime_hooks": [],
    }
