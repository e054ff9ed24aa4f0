"""`maskwright models`: which weights there are, which are here, and how to get the others."""

import argparse
import sys
import time

from app.errors import MaskwrightError
from models import registry
from models.api import WeightsInvalidError, WeightsMissingError
from models.weights.download import megabytes
from models.weights.own import own_weights
from models.weights.store import bundled, fetch, find, known, place, verify


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    match arguments.verb:
        case "list":
            _list()
        case "get":
            fetched = fetch(
                arguments.name,
                accept_licence=arguments.accept_licence,
                progress=_DownloadProgress(arguments.name) if sys.stderr.isatty() else None,
            )
            _say(f"{arguments.name}: {fetched.path} ({fetched.origin})")
        case "path":
            _say(str(find(arguments.name)))
        case "verify":
            _verify(arguments.names)
        case "add":
            registry.add_own(arguments.file, arguments.family, arguments.name)
            _say(f"{arguments.name}: use it with --model {arguments.name}")
        case "remove":
            registry.remove(arguments.name)
            _say(f"{arguments.name}: removed")
    return 0


def _list() -> None:
    rows = [("NAME", "SIZE", "LICENCE", "HERE", "SOURCE")]
    for name, path in bundled().items():
        size = megabytes(path.stat().st_size)
        rows.append((name, size, "see its card", "yes", "comes with the program"))
    for weights in known():
        here = "yes" if place(weights.name).is_file() else "no"
        rows.append((weights.name, megabytes(weights.size), weights.licence, here, weights.url))
    for mine in own_weights().values():
        size = megabytes(mine.path.stat().st_size)
        rows.append((mine.name, size, f"yours, of {mine.family}", "yes", str(mine.path)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        _say("  ".join([*cells, row[4]]))


def _verify(names: list[str]) -> None:
    chosen = names or [
        *bundled(),
        *(
            weights.name
            for weights in known()
            if place(weights.name).is_file() and not weights.by_hand
        ),
    ]
    if not chosen:
        _say("No weights are on this machine. `maskwright models list` shows what there is.")
    bad = 0
    for name in chosen:
        try:
            verify(name)
        except (WeightsMissingError, WeightsInvalidError) as error:
            bad += 1
            _say(f"{name}: {error}")
        else:
            _say(f"{name}: ok")
    if bad:
        raise MaskwrightError(f"{bad} of {len(chosen)} weights are missing or not as published.")


class _DownloadProgress:
    """Shows on the terminal how far a download is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started: tuple[float, int] | None = None
        self._shown = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = now, done
        if now - self._shown < 0.2 and done != total:
            return
        self._shown = now
        started, before = self._started
        rate = (done - before) / max(now - started, 1e-3)
        left = f", {(total - done) / rate:.0f} s left" if rate > 0 and total else ""
        sys.stderr.write(
            f"\r{self._name}: {megabytes(done)} of {megabytes(total) if total else '?'}, "
            f"{megabytes(int(rate))}/s{left}   " + ("\n" if done == total else "")
        )
        sys.stderr.flush()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
