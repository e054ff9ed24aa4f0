"""`maskwright doctor`: can this machine do the work, and what to do where it cannot."""

import argparse
import ctypes
import importlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app import paths
from models import registry
from models.api import LoadOptions, ModelError
from models.weights import store as weights

# What a bare Debian or Ubuntu lacks: what Qt loads, what a display needs of it, and a font.
QT_PACKAGES = (
    "libgl1", "libegl1", "libx11-6", "libdbus-1-3", "libfontconfig1", "libfreetype6",
    "libglib2.0-0", "libxkbcommon0", "libx11-xcb1", "libxcb-cursor0", "libxcb-icccm4",
    "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0", "libxcb-shape0",
    "libxcb-xkb1", "libxkbcommon-x11-0", "fonts-dejavu-core",
)  # fmt: skip
_CPU_ONLY = (
    "All works; libraries for a GPU take some 4 GB. Without them: pip install --force-reinstall "
    "torch torchvision --index-url https://download.pytorch.org/whl/cpu."
)
_ROOM_BYTES = 2 << 30
_ENCODERS = ("libx264", "mpeg4")
_DECODERS = ("h264", "hevc", "mpeg4", "mjpeg", "vp9")


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found, and what to do (None: nothing).

    `is_fatal`: nothing works without it.
    """

    subject: str
    fact: str
    advice: str | None = None
    is_fatal: bool = False

    def line(self) -> str:
        """Return the finding as it is printed."""
        verdict = "ok" if self.advice is None else ("PROBLEM" if self.is_fatal else "note")
        advice = f"\n{'':18}{self.advice}" if self.advice else ""
        return f"{verdict:8}{self.subject:10}{self.fact}{advice}"


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, and return 1 where one of them keeps the program from working."""
    is_usable = True
    for finding in findings(arguments.device):
        sys.stdout.write(finding.line() + "\n")
        sys.stdout.flush()
        is_usable = is_usable and not (finding.is_fatal and finding.advice)
    sys.stdout.write("Ready.\n" if is_usable else "Mend what is marked PROBLEM first.\n")
    return 0 if is_usable else 1


def findings(device: str) -> Iterator[Finding]:
    """Yield what there is to say of this machine, the most needed first."""
    yield _python()
    yield _window()
    yield from _torch(device)
    yield _video_codecs()
    yield _image_codecs()
    yield from _weights(device)
    yield from _folders()


def _python() -> Finding:
    fact = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    advice = None if sys.version_info >= (3, 11) else "Install Python 3.11 or newer."
    return Finding("Python", fact, advice, is_fatal=True)


def _window() -> Finding:
    # A missing system library shows when the libraries are loaded; no window is needed for that.
    try:
        core = importlib.import_module("PySide6.QtCore")
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        return Finding("Window", f"Qt cannot be loaded ({error})", _advice_on_qt(), is_fatal=True)
    fact = f"Qt {core.qVersion()}"
    if sys.platform != "linux":
        return Finding("Window", fact)
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    chosen = os.environ.get("QT_QPA_PLATFORM", "xcb").split(":")[0]
    folder = core.QLibraryInfo.path(core.QLibraryInfo.LibraryPath.PluginsPath)
    try:
        ctypes.CDLL(str(Path(folder, "platforms", f"libq{chosen}.so")))
    except OSError as error:
        fact += f", but its platform {chosen} cannot be loaded ({error})"
        return Finding("Window", fact, _advice_on_qt(), is_fatal=has_display)
    if chosen == "xcb" and not has_display:
        advice = "The commands work; for the window, start from a desktop (or use ssh -X)."
        return Finding("Window", f"{fact}, but there is no display", advice)
    return Finding("Window", f"{fact}, platform {chosen}")


def _advice_on_qt() -> str:
    if sys.platform == "linux":
        return (
            "Install what Qt needs of the system: apt-get install "
            f"--no-install-recommends {' '.join(QT_PACKAGES)}."
        )
    return "Install it again: pip install --force-reinstall PySide6-Essentials."


def _torch(device: str) -> Iterator[Finding]:
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        yield Finding(
            "Models", f"torch cannot be loaded ({error})", "Install it: pip install torch.",
            is_fatal=True,
        )  # fmt: skip
        return
    from models.runtime.device import pick_device  # noqa: PLC0415 - torch comes with it

    threads = f"{torch.get_num_threads()} CPU threads"
    cuda = None if getattr(sys, "frozen", False) else torch.version.cuda
    if cuda is None or torch.cuda.is_available():
        yield Finding("Models", f"torch {torch.__version__}, {threads}")
    else:
        fact = f"torch {torch.__version__}, {threads}, built for CUDA {cuda}, but there is no GPU"
        yield Finding("Models", fact, _CPU_ONLY)
    try:
        picked = pick_device(device)
    except ModelError as error:
        yield Finding("Device", f"{device} cannot be used", str(error))
        return
    from models.encoders.arithmetic import arithmetic  # noqa: PLC0415

    yield Finding("lite", f"computes in {arithmetic(picked)}")
    if picked.type != "cuda":
        advice = None if picked.type == "mps" else "Works; an NVIDIA GPU propagates faster."
        yield Finding("Device", f"{picked.type}, {_memory()}", advice)
        return
    free, total = torch.cuda.mem_get_info(picked)
    fact = f"{torch.cuda.get_device_name(picked)}, {_size(free)} of {_size(total)} free"
    advice = "Close other programs that use the GPU." if free < _ROOM_BYTES else None
    yield Finding("Device", fact, advice)


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return f"{os.cpu_count()} cores"
    return f"{os.cpu_count()} cores, {_size(total)} memory"


def _video_codecs() -> Finding:
    try:
        av = importlib.import_module("av")
    except ImportError as error:
        return Finding(
            "Video", f"PyAV cannot be loaded ({error})", "Install it: pip install av.",
            is_fatal=True,
        )  # fmt: skip
    missing = [
        *(f"reading {name}" for name in _DECODERS if not _is_there(av.Codec, name, "r")),
        *(f"writing {name}" for name in _ENCODERS if not _is_there(av.Codec, name, "w")),
    ]
    fact = f"PyAV {av.__version__}"
    if missing:
        return Finding(
            "Video", f"{fact} lacks {', '.join(missing)}",
            "Install the official wheel: pip install --force-reinstall --only-binary av av.",
        )  # fmt: skip
    return Finding("Video", f"{fact}, reads {', '.join(_DECODERS)}")


def _is_there(codec: Callable[[str, str], object], name: str, mode: str) -> bool:
    try:
        codec(name, mode)
    except ValueError:  # what PyAV's UnknownCodecError is
        return False
    return True


def _image_codecs() -> Finding:
    try:
        cv2 = importlib.import_module("cv2")
        numpy = importlib.import_module("numpy")
    except ImportError as error:
        return Finding(
            "Images", f"OpenCV cannot be loaded ({error})",
            "Install it: pip install opencv-python-headless.", is_fatal=True,
        )  # fmt: skip
    pixels = numpy.zeros((4, 4, 3), numpy.uint8)
    missing = [
        suffix
        for suffix in (".png", ".jpg", ".webp", ".bmp", ".tif")
        if not cv2.haveImageWriter(f"a{suffix}") or not cv2.imencode(suffix, pixels)[0]
    ]
    fact = f"OpenCV {cv2.__version__}"
    if missing:
        return Finding("Images", f"{fact} lacks {' '.join(missing)}", "Use other kinds of image.")
    return Finding("Images", f"{fact}, PNG, JPEG, WebP, BMP, TIFF")


def _weights(device: str) -> Iterator[Finding]:
    ready = [name for name in registry.trackers() if registry.available(name) is None]
    best = registry.default_tracker(LoadOptions(device))
    fact = f"ready: {', '.join(ready)}; the best here is {best}"
    yield Finding("Trackers", fact, registry.available(registry.EMBEDDED))
    here = [each.name for each in weights.known() if weights.missing(each.name) is None]
    here += [name for name in weights.bundled() if name not in here]
    listing = ", ".join(sorted(here)) or "none"
    advice = None if here else "See what there is: maskwright models list."
    yield Finding("Weights", f"on this machine: {listing}", advice)


def _folders() -> Iterator[Finding]:
    named = {
        "Data": paths.data_folder(),
        "Settings": paths.settings_file().parent,
        "Logs": paths.log_folder(),
    }
    for subject, folder in named.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield Finding(
                subject, f"{folder} cannot be written to ({error.strerror})",
                "Give yourself permission, or name another folder in MASKWRIGHT_HOME.",
                is_fatal=True,
            )  # fmt: skip
        else:
            yield Finding(subject, str(folder))
    yield _room(paths.data_folder())


def _room(folder: Path) -> Finding:
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path.cwd())
    free = shutil.disk_usage(there).free
    advice = None
    if free < _ROOM_BYTES:
        advice = f"Free some space: weights and projects want {_size(_ROOM_BYTES)}."
    return Finding("Disk", f"{_size(free)} free", advice)


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
