"""What is found as CSV and JSON."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.batch.inspection.provenance import program
from app.core.evaluate import Protocol
from app.core.inspection.attributes import Share, break_down
from app.core.inspection.comparison import Difference, compare
from app.core.inspection.episodes import Episode
from app.core.inspection.failures import FAILURES, Failure
from app.core.inspection.results import Result, overall

Record = dict[str, object]

FRAME_COLUMNS = (
    "run", "sequence", "object", "frame", "position", "J", "F", "J&F", "failure", "with",
    "truth_px", "prediction_px",
)  # fmt: skip
EVENT_COLUMNS = (
    "run", "sequence", "object", "failure", "with", "onset", "worst", "last", "recovery",
    "scored_frames", "lost", "likely_cause", "other_causes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """The results of one prediction over all sequences; it goes by a letter and a name."""

    letter: str
    label: str
    path: Path
    results: tuple[Result, ...]

    @property
    def name(self) -> str:
        """The letter and what the masks are called."""
        return f"{self.letter} ({self.label})"

    def episodes(self) -> list[tuple[Result, Episode]]:
        """Return the episodes of all sequences, the most costly first."""
        every = [(result, episode) for result in self.results for episode in result.episodes]
        return sorted(every, key=lambda pair: -pair[1].lost)

    def totals(self) -> dict[Failure, int]:
        """Return on how many frames of objects each failure is found."""
        parts = [result.totals() for result in self.results]
        return {failure: sum(part[failure] for part in parts) for failure in FAILURES}

    def attributes(self) -> tuple[Share, ...]:
        """Return the J&F by size, speed, occlusion and similarity."""
        return break_down((result.measures, result.circumstances) for result in self.results)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return what to call each prediction: the part of its path nearest the end that tells them."""
    parts = [path.absolute().with_suffix("").parts[::-1] for path in paths]
    for names in zip(*parts, strict=False):
        if len(set(names)) == len(paths):
            return list(names)
    return [path.name for path in paths]


def difference(runs: Sequence[Run]) -> Difference | None:
    """Return how much better the second run is than the first; None of one alone."""
    if len(runs) < 2:
        return None
    first, second = ({result.sequence: result.jf for result in run.results} for run in runs)
    return compare(first, second)


def frames_csv(runs: Iterable[Run]) -> bytes:
    """Return a line for each run, scored frame and object."""
    return _csv(
        FRAME_COLUMNS, (row for run in runs for part in run.results for row in _frames(run, part))
    )


def events_csv(runs: Iterable[Run]) -> bytes:
    """Return a line for each drift episode, the most costly of each run first."""
    return _csv(EVENT_COLUMNS, (_event(run, *pair) for run in runs for pair in run.episodes()))


def summary(runs: Sequence[Run], truth: Path, protocol: Protocol) -> Record:
    """Return the numbers of all runs and how they differ, for JSON."""
    between = difference(runs)
    record: Record = {
        "program": program(),
        "protocol": protocol.value,
        "ground_truth": str(truth),
        "runs": {run.letter: _run(run) for run in runs},
    }
    if between is not None:
        record["difference"] = {
            "J&F": between.mean,
            "low": between.low,
            "high": between.high,
            "confidence": 0.95,
            "sequences": between.sequences,
        }
    return record


def _run(run: Run) -> Record:
    means = overall(run.results)
    return {
        "masks": str(run.path),
        **_means(means.j, means.f),
        "failures": {failure.value: count for failure, count in run.totals().items()},
        "episodes": len(run.episodes()),
        "attributes": _attributes(run.attributes()),
        "sequences": {result.sequence: _sequence(result) for result in run.results},
    }


def _sequence(result: Result) -> Record:
    means = overall([result])
    j, f = result.measures.j.mean(axis=0), result.measures.f.mean(axis=0)
    return {
        **_means(means.j, means.f),
        "frames": len(result.frames),
        "sparse": result.is_sparse,
        "failures": {failure.value: count for failure, count in result.totals().items()},
        "objects": {
            name: _means(float(j[place]), float(f[place]))
            for place, name in enumerate(result.objects)
        },
    }


def _attributes(shares: Iterable[Share]) -> Mapping[str, Record]:
    table: dict[str, Record] = {}
    for share in shares:
        classes = table.setdefault(share.attribute, {})
        classes[share.name] = {"frames": share.frames, "J&F": share.jf}
    return table


def _means(j: float, f: float) -> Record:
    return {"J": j, "F": f, "J&F": (j + f) / 2}


def _frames(run: Run, result: Result) -> Iterator[Sequence[object]]:
    measures, labelling = result.measures, result.labelling
    truth, area, jf = measures.truth_area, measures.area, measures.jf
    for frame, stem in enumerate(result.frames):
        for number, name in enumerate(result.objects):
            at = (frame, number)
            partner = int(labelling.partners[at])
            yield (
                run.letter, result.sequence, name, stem, result.positions[frame],
                repr(float(measures.j[at])), repr(float(measures.f[at])), repr(float(jf[at])),
                FAILURES[labelling.failures[at]].value,
                result.objects[partner] if partner >= 0 else "", int(truth[at]), int(area[at]),
            )  # fmt: skip


def _event(run: Run, result: Result, episode: Episode) -> Sequence[object]:
    likely, *others = (cause.value for cause in result.causes(episode))
    frames = result.frames
    return (
        run.letter, result.sequence, result.objects[episode.object], episode.failure.value,
        result.objects[episode.partner] if episode.partner is not None else "",
        frames[episode.first], frames[episode.peak], frames[episode.last],
        frames[episode.recovery] if episode.recovery is not None else "",
        len(episode), f"{episode.lost:.4f}", likely, "; ".join(others),
    )  # fmt: skip


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
