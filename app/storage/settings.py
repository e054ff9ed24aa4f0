"""What a person can choose, and the file that keeps it."""

import logging
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeGuard

from app.core.densify import GATE
from app.storage.files.toml import dump
from app.storage.files.writing import atomic_write

Value = str | int | float | bool
Warn = Callable[[str], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be chosen, at its default; `FIELDS` says what each means."""

    theme: str = "system"
    ui_scale: float = 1.0
    palette: str = "default"
    shortcuts: str = "default"
    overlay_opacity: float = 0.5
    follow_playhead: bool = True
    overlap: bool = False
    tracker: str = ""
    segmenter: str = ""
    refiner: str = ""
    sharpener: str = ""
    device: str = "auto"
    threads: int = 0
    quality: str = "normal"
    size: int = 0
    iou_gate: float = 0.1
    heal_iou: float = 0.9
    heal_boundary: float = 0.9
    heal_area: float = 0.1
    heal_patience: int = 1
    conflict: float = 0.3
    densify_gate: float = GATE
    review_advance: bool = True
    cache_mib: int = 768
    undo_limit: int = 500
    autosave_folder: str = ""
    interaction_log: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that a setting can have."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """What a person is shown of one setting; its kind is that of its default.

    A number lies between `low` and `high`, both included. A text with `choices` is one of them,
    unless `is_open`: then they are suggestions. `models` names the list of the model registry that
    further choices come from: "trackers" or "segmenters". `lowest` is what the lowest number says
    where it is no measure.
    """

    name: str
    group: str
    label: str
    tooltip: str
    low: float = 0
    high: float = 0
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    is_open: bool = False
    models: str = ""
    lowest: str = ""

    @property
    def default(self) -> Value:
        """The value where nothing else was chosen."""
        value: Value = getattr(Settings(), self.name)
        return value

    def accepts(self, value: object) -> TypeGuard[Value]:
        """Whether `value` is of the right kind and in range."""
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(self.default, bool) and isinstance(value, bool)
        if isinstance(self.default, str):
            listed = {choice.value for choice in self.choices}
            is_text = isinstance(value, str) and "\0" not in value
            return is_text and (self.is_open or not listed or value in listed)
        if isinstance(value, int) or (isinstance(value, float) and isinstance(self.default, float)):
            return self.low <= value <= self.high
        return False


def _text(name: str, label: str, tooltip: str, group: str, *choices: tuple[str, str]) -> Field:
    return Field(name, group, label, tooltip, choices=tuple(Choice(*each) for each in choices))


_MOST_BYTES = 1 << 16  # all settings at once have a fiftieth of it
_MOST_DOTS = 4000  # of a line: the time to read a name of many parts grows with their square
_BEST = (Choice("", "The best that is here"),)
_LOOK, _MASKS, _MODELS = "Appearance", "Masks", "Models"
_HEAL, _KEEP = "Heal and review", "Memory and files"

FIELDS: tuple[Field, ...] = (
    _text(
        "theme", "Theme", "Colours of the window; System follows the desktop.", _LOOK,
        ("system", "System"), ("light", "Light"), ("dark", "Dark"),
    ),
    Field(
        "ui_scale", _LOOK, "Size of the interface",
        "Enlarges text and buttons; takes effect at the next start.", 0.75, 3.0, "x",
    ),
    _text(
        "palette", "Mask colours", "Colours given to new objects.", _LOOK,
        ("default", "Default"), ("colour-blind", "Safe for colour-blind eyes"),
    ),
    _text(
        "shortcuts", "Keyboard shortcuts",
        "Keys as in another tool; Ctrl+/ shows those that hold.", _LOOK,
        ("default", "Maskwright"), ("cutie", "Like Cutie"), ("cvat", "Like CVAT"),
        ("labelme", "Like labelme"),
    ),
    Field(
        "overlay_opacity", _LOOK, "Opacity of masks",
        "How strongly masks cover the picture, 0 to 1.", 0.0, 1.0,
    ),
    Field(
        "follow_playhead", _LOOK, "Follow the frame in work",
        "While masks are propagated, show the frame that has just been finished.",
    ),
    Field(
        "overlap", _MASKS, "Let masks overlap",
        "What is given to one object then stays with the others, too. Imported masks that overlap "
        "do so either way.",
    ),
    Field(
        "tracker", _MODELS, "Propagation",
        "The model that carries masks from frame to frame.", choices=_BEST, is_open=True,
        models="trackers",
    ),
    Field(
        "segmenter", _MODELS, "Clicks and boxes",
        "The model that makes a mask from clicks or a box.", choices=_BEST, is_open=True,
        models="segmenters",
    ),
    Field(
        "refiner", _MODELS, "Refinement",
        "The model that sharpens masks.", choices=(Choice("", "The same as for clicks"),),
        is_open=True, models="segmenters",
    ),
    Field(
        "sharpener", _MODELS, "Sharpening while propagating",
        "A model that sharpens each mask as it is propagated, such as hq-sam-large. It takes time "
        "on every frame.", choices=(Choice("", "None"),), is_open=True, models="segmenters",
    ),
    Field(
        "device", _MODELS, "Device",
        "What models compute on. Automatic takes a GPU where there is one.", is_open=True,
        choices=(
            Choice("auto", "Automatic"), Choice("cpu", "CPU"), Choice("cuda", "NVIDIA GPU"),
            Choice("mps", "Apple GPU"),
        ),
    ),
    Field(
        "threads", _MODELS, "CPU threads", "How many cores a model may use; 0 lets it choose.",
        0, 256, lowest="Automatic",
    ),
    _text(
        "quality", "Quality of propagation",
        "How finely lite and Cutie look at a frame: quick takes 0.6 of the time that normal takes, "
        "fine 1.6 and finest 2.3 times as long. Densifying always looks finest.", _MODELS,
        ("quick", "Quick"), ("normal", "Normal"), ("fine", "Fine"), ("finest", "Finest"),
    ),
    Field(
        "size", _MODELS, "Size at propagation",
        "The short side that frames are scaled to for the model. Larger is finer and slower; "
        "0 is the model's own, by the quality.", 0, 4320, "px", lowest="As the model has it",
    ),
    Field(
        "iou_gate", _MODELS, "Refinement gate",
        "A refined mask that overlaps the one before by less than this (IoU, 0 to 1) is dropped.",
        0.0, 1.0,
    ),
    Field(
        "heal_iou", _HEAL, "Same mask: overlap",
        "A heal may stop where new and old masks overlap by at least this (IoU, 0 to 1).",
        0.5, 1.0,
    ),
    Field(
        "heal_boundary", _HEAL, "Same mask: outline",
        "... and their outlines agree by at least this (F-measure, 0 to 1).", 0.5, 1.0,
    ),
    Field(
        "heal_area", _HEAL, "Same mask: area",
        "... and their areas differ by at most this share.", 0.0, 0.5,
    ),
    Field(
        "heal_patience", _HEAL, "Frames in agreement",
        "... on this many frames in a row, one more where it is only just so.", 1, 200,
    ),
    Field(
        "conflict", _HEAL, "Conflict",
        "Where propagations from the left and the right differ by more than this (1 - IoU), "
        "you are asked.", 0.0, 1.0,
    ),
    Field(
        "densify_gate", _HEAL, "Gate of densify",
        "A mask between two annotated frames is in doubt where both directions agree by less than "
        "this (IoU, 0 to 1), with each other or with the masks at the ends: you are asked.",
        0.0, 1.0,
    ),
    Field(
        "review_advance", _HEAL, "Go on after Enter",
        "Once a suspect is corrected and verified, go to the next while it heals.",
    ),
    Field(
        "cache_mib", _KEEP, "Memory for frames",
        "Decoded frames kept ready; 768 MiB hold about 120 frames of 1080p.", 64, 65536, "MiB",
    ),
    Field("undo_limit", _KEEP, "Undo steps", "How many edits can be undone.", 10, 100_000),
    Field(
        "autosave_folder", _KEEP, "Folder for projects",
        "Where new projects are kept; empty puts each beside its video. A path that is not whole "
        "begins in your home folder. Projects beside their videos are found all the same.",
    ),
    Field(
        "interaction_log", _KEEP, "Log of what you do",
        "From the next video on, keep a file of your clicks, keys and strokes and the time between "
        "them: on this machine only, without any picture. maskwright replay plays it again.",
    ),
)  # fmt: skip


def field_of(name: str) -> Field:
    """Return the row of `FIELDS` for a setting; KeyError where there is none."""
    for field in FIELDS:
        if field.name == name:
            return field
    raise KeyError(name)


def load(path: Path, warn: Warn = log.warning) -> Settings:
    """Read the settings; what is not in the file is at its default.

    A file that cannot be understood is set aside as `*.broken`, a value that is out of range is
    passed over; `warn` is told in a sentence. Never raises.
    """
    known = {field.name for field in fields(Settings)}
    chosen: dict[str, Value] = {}
    for name, value in _read(path, warn).items():
        if name not in known:
            continue
        field = field_of(name)
        if field.accepts(value):
            chosen[name] = float(value) if isinstance(field.default, float) else value
        else:
            text = _shown(value)
            warn(f"{path}: {name} = {text} cannot be used; the default is {field.default!r}.")
    return Settings(**chosen)  # type: ignore[arg-type]


def save(path: Path, settings: Settings, warn: Warn = log.warning) -> None:
    """Write what differs from the defaults, keeping what another version wrote. Raises OSError."""
    known = {field.name for field in fields(Settings)}
    kept = {name: value for name, value in _read(path, warn).items() if name not in known}
    defaults = Settings()
    changed = {
        name: getattr(settings, name)
        for name in sorted(known)
        if getattr(settings, name) != getattr(defaults, name)
    }
    try:
        text = dump({**changed, **kept})
    except (ValueError, RecursionError):  # a number or a table that can be read, but not written
        text = dump(changed)
    atomic_write(path, text.encode())


def _read(path: Path, warn: Warn) -> Mapping[str, object]:
    if path.exists() and not path.is_file():  # a pipe would be waited for, a device has no end
        warn(f"{path} is not a file; the defaults are used. Move it away to keep settings.")
        return {}
    try:
        return tomllib.loads(_text_of(path))
    except FileNotFoundError:
        return {}
    except OSError as error:
        warn(f"{path} cannot be read ({error.strerror}); the defaults are used.")
    except UnicodeError:
        warn(_set_aside(path, "it is not UTF-8 text"))
    except RecursionError:
        warn(_set_aside(path, "its values are nested without end"))
    except ValueError as error:  # TOML says where
        warn(_set_aside(path, str(error)))
    return {}


def _text_of(path: Path) -> str:
    """Return the text of the file, without the mark that editors of Windows put before it.

    Raises OSError, UnicodeError, or ValueError where it is so large or so deep that to read it
    could take minutes.
    """
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    text = content.decode("utf-8-sig", "strict" if len(content) <= _MOST_BYTES else "replace")
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError("its names are nested without end")
    return text


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested without end
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}..."


def _set_aside(path: Path, why: str) -> str:
    aside = path.with_name(f"{path.name}.broken")
    try:
        path.replace(aside)
    except OSError:
        return f"{path} cannot be understood ({why}); the defaults are used."
    return f"{path} cannot be understood ({why}): it was moved to {aside}; defaults are used."
