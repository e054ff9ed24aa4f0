"""`maskwright desktop`: the program in the menu of a Linux desktop; projects that open by it."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from app import paths
from app.errors import UsageError
from app.storage.files.writing import atomic_write

_ENTRY = "applications/maskwright.desktop"
# Where each shipped file goes, below the person's or the system's folder of shared data.
_PLACES = {
    "desktop/maskwright.desktop": _ENTRY,
    "desktop/maskwright.mime.xml": "mime/packages/maskwright.xml",
    "desktop/maskwright.metainfo.xml": "metainfo/io.github.maskwright.Maskwright.metainfo.xml",
    "icons/maskwright.svg": "icons/hicolor/scalable/apps/maskwright.svg",
}
# What makes a running desktop look again; where one is not there it looks when it starts.
_REFRESH = (("update-desktop-database", "applications"), ("update-mime-database", "mime"))


def run(arguments: argparse.Namespace) -> int:
    """Write the files of the desktop, or remove them, and say where."""
    if sys.platform != "linux":
        raise UsageError("This is for the menus of Linux. Elsewhere the bundle brings its own.")
    share = _share()
    for source, place in _PLACES.items():
        if arguments.remove:
            (share / place).unlink(missing_ok=True)
            continue
        content = (paths.resources() / source).read_bytes()
        atomic_write(share / place, _started(content) if place == _ENTRY else content)
    for program, folder in _REFRESH:
        if (found := shutil.which(program)) and (share / folder).is_dir():
            subprocess.run([found, str(share / folder)], check=False, capture_output=True)
    done = "out of" if arguments.remove else "in"
    sys.stdout.write(f"Maskwright is {done} the menu, and projects (*.maskwright) ")
    sys.stdout.write("open by nothing now.\n" if arguments.remove else "open by a double click.\n")
    return 0


def _share() -> Path:
    given = os.environ.get("XDG_DATA_HOME")
    return Path(given) if given else Path.home() / ".local" / "share"


def _started(entry: bytes) -> bytes:
    """Return the entry with the whole path of this program, which a desktop may not find."""
    program = sys.executable if getattr(sys, "frozen", False) else shutil.which("maskwright")
    if program is None:
        raise UsageError(
            "There is no program maskwright on the PATH for the menu to start. Install it: pipx "
            "install maskwright, then pipx ensurepath."
        )
    path = str(Path(program).absolute())
    quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    text = entry.decode().replace("Exec=maskwright %f", f'Exec="{quoted}" %f', 1)
    return text.replace("TryExec=maskwright", f"TryExec={path}", 1).encode()
