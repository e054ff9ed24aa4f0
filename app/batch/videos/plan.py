"""The plan of a batch: which videos, which steps, and where the results go; a TOML file."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import overload

from app.core.densify import GATE
from app.core.evaluate import Protocol
from app.core.plan import Direction
from app.core.vote import VoteRules
from app.errors import UsageError
from app.storage.formats.exporting import Format
from app.storage.project.project import SUFFIX
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
_TAKEN = {"failed", "index.html", "outcomes.csv"}  # what else lies beside the results
_NEEDED = {(Vote, "masklets"), (Export, "format"), (Evaluate, "truth")}


@dataclass(frozen=True, slots=True)
class VideoTask:
    """One video of a batch: all that is needed to carry it out, anywhere.

    In texts of the steps `{name}` stands for the video's name; paths are absolute. `frames` and
    `anchors` are both the project file where the video is that of a project.
    """

    name: str
    frames: Path
    anchors: Path
    out: Path
    steps: tuple[Step, ...]
    options: LoadOptions

    @property
    def is_project(self) -> bool:
        """Whether the masks to begin with are those of a project."""
        return self.anchors.suffix == SUFFIX

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All that is read: frames, anchors, and the folders that the steps name."""
        named = [step.masklets for step in self.steps if isinstance(step, Vote)]
        named += [step.truth for step in self.steps if isinstance(step, Evaluate)]
        return (self.frames, self.anchors, *(self.place(pattern) for pattern in named))

    def place(self, pattern: str) -> Path:
        """Return the folder that a step names for this video."""
        return Path(pattern.replace("{name}", self.name))


class Tasks(Sequence[VideoTask]):
    """The videos of a plan; a task is made when it is asked for, so that many take no memory."""

    def __init__(self, folder: Path, places: Sequence[str], anchors: str, model: VideoTask) -> None:
        """`places` are relative to `folder`; `model` has what is the same of all tasks.

        `anchors` is where each one's anchors lie; it is empty where the videos are projects.
        """
        self._folder, self._places, self._anchors, self._model = folder, places, anchors, model

    def with_steps(self, steps: tuple[Step, ...]) -> "Tasks":
        """Return the same videos with other steps."""
        model = replace(self._model, steps=steps)
        return Tasks(self._folder, self._places, self._anchors, model)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> VideoTask: ...
    @overload
    def __getitem__(self, index: slice) -> "Tasks": ...
    def __getitem__(self, index: int | slice) -> "VideoTask | Tasks":
        if isinstance(index, slice):
            return Tasks(self._folder, self._places[index], self._anchors, self._model)
        frames, same = self._folder / self._places[index], self._model
        name = name_of(frames)
        named = self._folder / self._anchors.replace("{name}", name)
        anchors = named if self._anchors else frames
        return VideoTask(name, frames, anchors, same.out / name, same.steps, same.options)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a plan file says, its paths made absolute; `price` is that of an hour of one worker."""

    out: Path
    tasks: Tasks
    price: float | None = None
    currency: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, which are the same for all videos."""
        return self.tasks[0].steps

    def with_models(self, tracker: str, segmenter: str) -> "BatchPlan":
        """Return the plan with these models in the steps that leave theirs open."""
        steps = (_with_model(step, tracker, segmenter) for step in self.steps)
        return replace(self, tasks=self.tasks.with_steps(tuple(steps)))


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
    _check_keys(table, {"out", "videos", "step", "price", "currency"}, f"{path}")
    root = path.parent.absolute()
    out = root / _text(table, "out", f"{path}")
    videos = table.get("videos")
    if not isinstance(videos, Mapping):
        raise UsageError(f"{path} has no [videos]. Say there where the frames and anchors lie.")
    pattern, anchors = _patterns(videos, f"{path}, [videos]")
    listed = _steps(table, path, has_masks=not anchors)
    steps = tuple(_step(each, n, root) for n, each in enumerate(listed, start=1))
    same = VideoTask("", root, root, out, steps, options)
    tasks = Tasks(root, _videos(root, pattern), anchors, same)
    return BatchPlan(out, tasks, _price(table, path), str(table.get("currency", "")))


def _with_model(step: Step, tracker: str, segmenter: str) -> Step:
    match step:
        case Propagate(model="") | Densify(model=""):
            return replace(step, model=tracker)
        case Refine(model=""):
            return replace(step, model=segmenter)
        case _:
            return step


def name_of(video: Path) -> str:
    """Return what a video is called: its folder, or its file without what follows the last dot."""
    return video.name if video.is_dir() else video.stem


def _patterns(videos: Table, where: str) -> tuple[str, str]:
    """Return where the videos lie and where each one's anchors do, none where projects have both.

    Raises UsageError.
    """
    _check_keys(videos, {"frames", "anchors", "projects"}, where)
    if "projects" not in videos:
        return _text(videos, "frames", where), _text(videos, "anchors", where)
    if len(videos) > 1:
        raise UsageError(f"{where}: `projects` have frames and anchors of their own. Leave others.")
    return _text(videos, "projects", where), ""


def _price(table: Table, path: Path) -> float | None:
    price = table.get("price")
    if price is not None and (isinstance(price, bool) or not isinstance(price, int | float)):
        raise UsageError(f"{path}: price is a number, what an hour of one worker costs.")
    return price


def _videos(root: Path, pattern: str) -> tuple[str, ...]:
    """Return the videos that a pattern matches, as texts, since there may be very many.

    Raises UsageError where there is none, or where two share a name.
    """
    if Path(pattern).is_absolute():
        raise UsageError(f"{pattern!r} in [videos] is absolute. Paths are relative to the plan.")
    found: dict[str, str] = {}
    for path in root.glob(pattern):
        if path.name.startswith("."):
            continue
        name, place = name_of(path), path.relative_to(root).as_posix()
        if name in _TAKEN:
            raise UsageError(f"{path}: results of a video called {name} have no place. Rename it.")
        if name in found:
            raise UsageError(
                f"{root / found[name]} and {path} are both called {name}: their results would "
                "share a folder. Rename one, or make two plans."
            )
        found[name] = place
    if not found:
        raise UsageError(f"No video matches {pattern!r} in {root}. Check [videos].")
    return tuple(sorted(found.values()))


def _steps(table: Table, path: Path, *, has_masks: bool) -> list[Table]:
    steps = table.get("step")
    if not isinstance(steps, list) or not steps:
        raise UsageError(f"{path} has no [[step]]. Name at least one: {', '.join(STEPS)}.")
    if not all(isinstance(each, Mapping) for each in steps):
        raise UsageError(f"{path}: each step is a table of its own, [[step]].")
    if has_masks and any(each.get("do") == "densify" for each in steps):
        raise UsageError(f"{path}: `densify` begins with a VISOR JSON, not with a project.")
    if not has_masks and steps[0].get("do") not in _FIRST:
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
