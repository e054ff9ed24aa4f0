"""A table of measurements against their targets."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; `target` is the most that it should be, None where there is none."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps its target."""
        return self.target is None or self.value <= self.target

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        wanted = "" if self.target is None else f"{_number(self.target)} {self.unit}"
        verdict = "" if self.target is None else ("ok" if self.is_met else "missed")
        return f"| {self.name} | {_number(self.value)} {self.unit} | {wanted} | {verdict} |"


def table(measures: list[Measure]) -> str:
    """Return all figures as a Markdown table."""
    head = ["| measure | value | target | |", "|---|---|---|---|"]
    return "\n".join([*head, *(measure.row() for measure in measures)]) + "\n"


def as_json(measures: list[Measure]) -> list[dict[str, object]]:
    """Return all figures as what `json.dump` writes."""
    return [
        {
            "name": measure.name,
            "value": measure.value,
            "unit": measure.unit,
            "target": measure.target,
            "met": measure.is_met,
        }
        for measure in measures
    ]


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` percent of the values do not exceed."""
    return float(np.percentile(values, share)) if values else float("nan")


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
