"""The figures of all plays, as text and as JSON."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from app.cli.bench.healing.play import QUEUE, STRATEGIES, Clip, Play
from app.core.confidence import RIGHT, Calibration, calibration_of, confidence

_BINS = 10
_REACHED = 0.95  # share of the reachable J&F that should soon be there


class Plays:
    """Plays by clip, drift and strategy, and their means."""

    def __init__(self, rounds: int, model: str) -> None:
        """`model` is the tracker whose masks are played with."""
        self._rounds = rounds
        self._model = model
        self._plays: dict[tuple[str, str, str], Play] = {}
        self._counts: dict[str, int] = {}
        self._objects: dict[str, int] = {}

    def add(self, clip: Clip, drift: str, strategy: str, play: Play) -> None:
        """Take a play in."""
        self._plays[clip.name, drift, strategy] = play
        self._counts[clip.name] = clip.count
        self._objects[clip.name] = len(clip.numbers)

    def as_json(self) -> dict[str, object]:
        """Return what `json.dump` writes."""
        played = [s for s in STRATEGIES if any(key[2] == s for key in self._plays)]
        means: dict[str, object] = {strategy: self._means(strategy) for strategy in played}
        return {
            **means,
            "precision20": self.precision(),
            "recall20": self.recall(),
            "recall20_masks": self.recall(by_masks=True),
            "calibration": calibration_error(self._confidences()),
            "reliability": reliability(self._confidences()),
            "plays": [
                {
                    "sequence": name, "drift": drift, "strategy": strategy, "jf": play.jf,
                    "spoiled": play.spoiled, "recomputed": play.recomputed,
                    "clicks": play.clicks, "wrong": play.wrong,
                }
                for (name, drift, strategy), play in self._plays.items()
            ],
        }  # fmt: skip

    def text(self) -> str:
        """Return the tables."""
        head = " | ".join(f"J&F {index}" for index in range(self._rounds + 1))
        rows = [
            f"| strategy | {head} | area | spoiled | recomputed | mean | seconds | to 95 % "
            "| edited | clicks |",
            "|---" * (self._rounds + 10) + "|",
        ]
        for strategy in STRATEGIES:
            if not any(key[2] == strategy for key in self._plays):
                continue
            means = self._means(strategy)
            curve = " | ".join(f"{value:.3f}" for value in self._curve(strategy))
            rows.append(
                f"| {strategy} | {curve} | {means['auc']:.3f} | {means['spoiled']:.2%} "
                f"| {means['recomputed']:.1%} | {means['recomputed_mean']:.1%} "
                f"| {means['seconds']:.2f} | {means['to95']:.1f} | {means['edited']:.1%} "
                f"| {means['clicks']:.2f} |"
            )
        lines = [
            *rows, "",
            f"Precision of the first {QUEUE} suspects: {self.precision():.2f}",
            f"Stretches of wrong masks that they list: {self.recall():.2f}, "
            f"by their masks {self.recall(by_masks=True):.2f}",
            f"Calibration error: {calibration_error(self._confidences()):.3f}", "",
            "| confidence | masks | said | right |", "|---|---|---|---|",
            *(f"| {low:.1f} to {low + 1 / _BINS:.1f} | {count} | {said:.2f} | {right:.2f} |"
              for low, count, said, right in reliability(self._confidences())),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def precision(self) -> float:
        """Return the share of the first suspects that were wrong masks, before any correction."""
        first = self._of(STRATEGIES[0])
        listed = [right for _, play in first for right in play.queue]
        return float(np.mean(listed)) if listed else float("nan")

    def recall(self, *, by_masks: bool = False) -> float:
        """Return the share of the wrong stretches that the first suspects list.

        Before any correction; `by_masks`: a stretch counts as often as it has masks.
        """
        first = self._of(STRATEGIES[0])
        found = [stretch for _, play in first for stretch in play.stretches]
        counts = [stretch.masks if by_masks else 1 for stretch in found]
        listed = sum(count for count, stretch in zip(counts, found, strict=True) if stretch.listed)
        return listed / sum(counts) if counts else float("nan")

    def _of(self, strategy: str) -> list[tuple[str, Play]]:
        return [(key[0], play) for key, play in self._plays.items() if key[2] == strategy]

    def _curve(self, strategy: str) -> list[float]:
        """Return the mean J&F after 0, 1, ... interactions; a play that is over keeps its last."""
        curves = [
            [*play.jf, *[play.jf[-1]] * (self._rounds + 1 - len(play.jf))]
            for _, play in self._of(strategy)
        ]
        return [float(value) for value in np.mean(curves, axis=0)]

    def _means(self, strategy: str) -> dict[str, float | list[float]]:
        curve = self._curve(strategy)
        plays = self._of(strategy)
        good = sum(sum(play.good) for _, play in plays)
        shares = [count / self._counts[name] for name, play in plays for count in play.recomputed]
        masks = sum((self._counts[name] - 1) * self._objects[name] for name, _ in plays)
        edited = sum(len(play.edited) for _, play in plays)
        clicks = sum(sum(play.clicks) for _, play in plays)
        return {
            "jf": curve,
            "auc": _mean([(a + b) / 2 for a, b in itertools.pairwise(curve)] or curve),
            "spoiled": sum(sum(play.spoiled) for _, play in plays) / max(1, good),
            # Of each interaction the share of its clip.
            "recomputed": _median(shares),
            "recomputed_mean": _mean(shares),
            "seconds": _mean([s for _, play in plays for s in play.seconds]),
            "to95": _mean([self._to_reach(key) for key in self._plays if key[2] == strategy]),
            # What is still wrong at the end would have to be corrected by hand, mask by mask.
            "edited": (edited + sum(play.wrong for _, play in plays)) / masks,
            "clicks": clicks / max(1, edited),
        }

    def _to_reach(self, key: tuple[str, str, str]) -> int:
        """Return the interactions until .95 of the best J&F that any strategy reached."""
        others = [play for other, play in self._plays.items() if other[:2] == key[:2]]
        wanted = _REACHED * max(max(play.jf) for play in others)
        curve = self._plays[key].jf
        return next((i for i, jf in enumerate(curve) if jf >= wanted), self._rounds + 1)

    def _confidences(self) -> list[tuple[float, bool]]:
        """Return confidence and truth of all masks where nothing but the model went wrong."""
        return [
            (said, iou >= RIGHT)
            for (name, drift, strategy), play in self._plays.items()
            if strategy == STRATEGIES[0] and drift == "own"
            for entry, iou in play.made
            if (said := confidence(entry, self._calibration(name))) is not None
        ]

    def _calibration(self, name: str) -> Calibration:
        return calibration_of(self._model, self._objects[name])


def reliability(pairs: Sequence[tuple[float, bool]]) -> list[tuple[float, int, float, float]]:
    """Return (low end, number, mean confidence, share that is right) of each bin that holds any."""
    rows = []
    for index in range(_BINS):
        inside = [pair for pair in pairs if min(int(pair[0] * _BINS), _BINS - 1) == index]
        if inside:
            said, right = np.mean(np.array(inside, np.float64), axis=0)
            rows.append((index / _BINS, len(inside), float(said), float(right)))
    return rows


def calibration_error(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the expected calibration error (Guo et al. 2017): mean |said - right| over bins."""
    rows = reliability(pairs)
    total = sum(row[1] for row in rows)
    return sum(row[1] * abs(row[2] - row[3]) for row in rows) / total if total else float("nan")


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else 0.0


def _median(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.median(found)) if found else 0.0
