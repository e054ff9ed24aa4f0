"""What the bundles of all systems have in common: what goes in, and what stays out."""

import os
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from PIL import Image
from PyInstaller.utils.hooks import (
    collect_data_files,
    collect_submodules,
    copy_metadata,
)
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication, QIcon

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VERSION = version("maskwright")
_DRAWING = ROOT / "resources" / "icons" / "maskwright.svg"
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


def icon(folder: str, kind: str) -> str:
    """Draw the program's icon into `folder` as `ico` or `icns`, and return the file."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication.instance() or QGuiApplication([])
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QIcon(str(_DRAWING)).pixmap(512, 512).save(buffer, "PNG")
    del application
    Path(folder).mkdir(parents=True, exist_ok=True)
    drawn, file = Path(folder, "icon.png"), Path(folder, f"maskwright.{kind}")
    drawn.write_bytes(content.data())
    with Image.open(drawn) as picture:
        picture.save(file, sizes=[(size, size) for size in (16, 32, 48, 64, 128, 256)])
    return str(file)
