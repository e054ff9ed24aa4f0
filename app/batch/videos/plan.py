"""The plan of a batch: which videos, which steps, and where the results go; a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from app.core.densify import GATE
from app.core.evaluate import Protocol
from app.core.plan import Direction
from app.core.vote import VoteRules
from app.errors import UsageError
from app.storage.formats.exporting import Format
from models.api import LoadOptions

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Propagate:
    """Fill every frame from the video's anchors; an empty model is the best that is there."""

    model: str = ""
    size: int | None = None
    direction: str = "both"


@dataclass(frozen=True, slots=True)
class Densify:
    """Fill the frames between those that a sparse VISOR JSON annotates, and gate what comes.

    The anchors are that JSON. A mask is kept where both directions agree by `gate`, an IoU.
    """

    model: str = ""
    size: int | None = None
    gate: float = GATE


@dataclass(frozen=True, slots=True)
class Refine:
    """Refine every mask that is no anchor; what overlaps it by less than `iou_gate` is not used."""

    model: str = ""
    iou_gate: float = 0.1


@dataclass(frozen=True, slots=True)
class Vote:
    """Make the masks consistent by those of a tracker, which lie in the folder `masklets`."""

    masklets: str = ""
    window: int = VoteRules().window
    overlap: float = VoteRules().overlap


@dataclass(frozen=True, slots=True)
class Export:
    """Write the masks in an exchange format."""

    format: str = ""


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Score the masks against those in the folder `truth`."""

    truth: str = ""
    protocol: str = "davis2017"


Step = Propagate | Densify | Refine | Vote | Export | Evaluate
STEPS: dict[str, type[Step]] = {
    "propagate": Propagate,
    "densify": Densify,
    "refine": Refine,
    "vote": Vote,
    "export": Export,
    "evaluate": Evaluate,
}
_CHOICES: dict[tuple[type[Step], str], frozenset[str]] = {
    (Propagate, "direction"): frozenset(each.value for each in Direction),
    (Export, "format"): frozenset(each.value for each in Format),
    (Evaluate, "protocol"): frozenset(each.value for each in Protocol),
}
_FIRST = {"propagate", "densify"}
_NEEDED = {(Vote, "masklets"), (Export, "format"), (Evaluate, "truth")}


@dataclass(frozen=True, slots=True)
class VideoTask:
    """One video of a batch: all that is needed to carry it out, anywhere.

    In texts of the steps `{name}` stands for the video's name; paths are absolute.
    """

    name: str
    frames: Path
    anchors: Path
    out: Path
    steps: tuple[Step, ...]
    options: LoadOptions

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All that is read: frames, anchors, and the folders that the steps name."""
        named = [step.masklets for step in self.steps if isinstance(step, Vote)]
        named += [step.truth for step in self.steps if isinstance(step, Evaluate)]
        return (self.frames, self.anchors, *(self.place(pattern) for pattern in named))

    def place(self, pattern: str) -> Path:
        """Return the folder that a step names for this video."""
        return Path(pattern.replace("{name}", self.name))


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a plan file says, its paths made absolute."""

    out: Path
    tasks: tuple[VideoTask, ...]


def read_plan(path: Path, options: LoadOptions) -> BatchPlan:
    """Return the plan at `path`; its paths are relative to the folder that it lies in.

    Raises UsageError, which names the place and what is wrong there.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}.") from error
    _check_keys(table, {"out", "videos", "step"}, f"{path}")
    root = path.parent.absolute()
    out = root / _text(table, "out", f"{path}")
    steps = tuple(_step(each, n, root) for n, each in enumerate(_steps(table, path), start=1))
    videos = table.get("videos")
    if not isinstance(videos, Mapping):
        raise UsageError(f"{path} has no [videos]. Say there where the frames and anchors lie.")
    _check_keys(videos, {"frames", "anchors"}, f"{path}, [videos]")
    found = _videos(root, _text(videos, "frames", f"{path}, [videos]"))
    anchors = _text(videos, "anchors", f"{path}, [videos]")
    tasks = tuple(
        VideoTask(name, frames, root / anchors.replace("{name}", name), out / name, steps, options)
        for name, frames in found.items()
    )
    return BatchPlan(out, tasks)


def _videos(root: Path, pattern: str) -> dict[str, Path]:
    """Return the videos that a pattern matches, by name. Raises UsageError where two share one."""
    found: dict[str, Path] = {}
    for path in sorted(root.glob(pattern)):
        if path.name.startswith("."):
            continue
        name = path.name if path.is_dir() else path.stem
        if name in found:
            raise UsageError(
                f"{found[name]} and {path} are both called {name}: their results would share a "
                "folder. Rename one, or make two plans."
            )
        found[name] = path
    if not found:
        raise UsageError(f"No video matches {pattern!r} in {root}. Check `frames` in [videos].")
    return found


def _steps(table: Table, path: Path) -> list[Table]:
    steps = table.get("step")
    if not isinstance(steps, list) or not steps:
        raise UsageError(f"{path} has no [[step]]. Name at least one: {', '.join(STEPS)}.")
    if not all(isinstance(each, Mapping) for each in steps):
        raise UsageError(f"{path}: each step is a table of its own, [[step]].")
    if steps[0].get("do") not in _FIRST:
        raise UsageError(
            f"{path}: the first step must be one that makes the masks, `propagate` or `densify`."
        )
    if any(each.get("do") == "densify" for each in steps[1:]):
        raise UsageError(f"{path}: `densify` makes the masks, so it can only be the first step.")
    return steps


def _step(table: Table, number: int, root: Path) -> Step:
    where = f"Step {number}"
    name = _text(table, "do", where)
    if name not in STEPS:
        raise UsageError(f"{where} is {name!r}, which is none of {', '.join(STEPS)}.")
    kind = STEPS[name]
    known = {each.name: each for each in fields(kind)}
    _check_keys(table, {"do", *known}, f"{where} ({name})")
    values: dict[str, object] = {}
    for key, value in table.items():
        if key == "do":
            continue
        default = known[key].default
        accepted = (int, float) if isinstance(default, float) else type(default)
        if key == "size":
            accepted = int
        if isinstance(value, bool) or not isinstance(value, accepted):
            raise UsageError(f"{where} ({name}): {key} = {value!r} is of the wrong kind.")
        choices = _CHOICES.get((kind, key))
        if choices and value not in choices:
            raise UsageError(f"{where} ({name}): {key} is one of {', '.join(sorted(choices))}.")
        is_folder = key in {"masklets", "truth"}
        values[key] = str(root / str(value)) if is_folder else value
    for needed in (key for step, key in _NEEDED if step is kind and key not in values):
        raise UsageError(f"{where} ({name}) needs {needed!r}.")
    return kind(**values)  # type: ignore[arg-type]


def _text(table: Table, key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} needs {key!r}, a text.")
    return value


def _check_keys(table: Table, known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise UsageError(f"{where}: {unknown[0]!r} is none of {', '.join(sorted(known))}.")
