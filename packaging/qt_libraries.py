"""Make sure that the system libraries which Qt loads are there; run it before the tests.

On a bare Debian or Ubuntu the PySide6 wheel lacks a dozen small libraries. Run as root there, this
installs them; anywhere else it names them. Where nothing lacks it is done in a few milliseconds.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Library -> Debian package. Without these PySide6.QtWidgets cannot be imported at all.
CORE = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
# A window on an X display needs these as well; the offscreen platform does not.
DISPLAY = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
FONTS = "fonts-dejavu-core"
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")


def main() -> int:
    """Install or name what is missing; 1 where Qt cannot start at all."""
    if not sys.platform.startswith("linux"):
        return 0
    core, display = _missing(CORE), _missing(DISPLAY)
    packages = [*core, *display, *([] if _has_fonts() else [FONTS])]
    if not packages:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return _install(packages)
    names = " ".join(packages)
    sys.stderr.write(f"Qt lacks system libraries. On Debian or Ubuntu: apt-get install {names}\n")
    return 1 if core else 0


def _missing(libraries: dict[str, str]) -> list[str]:
    return [package for library, package in libraries.items() if not _loads(library)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts() -> bool:
    return any(
        path.suffix in {".ttf", ".otf", ".ttc", ".pfb"}
        for folder in FONT_FOLDERS
        for path in folder.rglob("*")
    )


def _install(packages: list[str]) -> int:
    sys.stderr.write(f"Installing what Qt needs: {' '.join(packages)}\n")
    # A failed update is not the end: the lists that are there may do.
    _apt("update")
    return _apt("install", "-y", "--no-install-recommends", *packages)


def _apt(*words: str) -> int:
    done = subprocess.run(
        ["apt-get", "-qq", "-o", "Acquire::Retries=3", *words],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(f"apt-get {words[0]} failed:\n{done.stderr}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
