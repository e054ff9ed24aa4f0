"""The journal of a batch, beside its results: a page, a list of outcomes, a log of each failure."""

import csv
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.batch.videos.carry_out import Outcome
from app.batch.videos.journal.page import LIST, LOGS, page
from app.batch.videos.journal.standing import Standing
from app.batch.videos.plan import BatchPlan
from app.storage.files.writing import atomic_write

_PAGE_EVERY_S = 2.0


class Journal:
    """Writes down each outcome as it comes; use it in a `with`, after which the page is whole."""

    def __init__(self, plan: BatchPlan) -> None:
        self._out = plan.out
        self._out.mkdir(parents=True, exist_ok=True)
        self.standing = Standing(len(plan.tasks), plan.price, plan.currency)
        self._began = self._told = time.monotonic()
        self._list = (self._out / LIST).open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._list, lineterminator="\n")
        self._rows.writerow(("video", "frames", "seconds", "jf", "state", "error"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._list.close()
        self._write_page()

    def add(self, outcome: Outcome) -> None:
        """Write down what became of one more video. Raises OSError."""
        now = time.monotonic()
        self.standing.add(outcome, now - self._began)
        state = "failed" if outcome.error else "was done" if outcome.was_done else "done"
        scored = "" if outcome.jf is None else outcome.jf
        self._rows.writerow(
            (outcome.name, outcome.frames, outcome.seconds, scored, state, outcome.error)
        )
        log = self._log(outcome.name)
        if outcome.error:
            atomic_write(log, (outcome.log or outcome.error).encode(errors="replace"))
        else:
            log.unlink(missing_ok=True)
        if now - self._told > _PAGE_EVERY_S:
            self._told = now
            self._list.flush()
            self._write_page()

    def _log(self, name: str) -> Path:
        return self._out / LOGS / f"{name}.txt"

    def _write_page(self) -> None:
        atomic_write(self._out / "index.html", page(self.standing).encode(errors="replace"))
