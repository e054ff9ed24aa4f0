"""Check that a batch gives what the window gives, whatever is killed meanwhile.

    python packaging/check_batch.py ROOT OUT [--videos 40] [--frames 8] [--ray]

ROOT is in the DAVIS-2016 layout. Short clips of it are propagated in the window's own way, by a
session, and then by `maskwright batch` with two workers, of which one is killed at 20 random
moments; then the driver is killed at 10. At the end every project has to hold the same as the
window's, and nothing that was finished may have been done again. With --ray the two workers are two
nodes of a Ray cluster on this machine. Linux only: it looks for processes in /proc.
"""

import argparse
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shiboken6
from PIL import Image
from PySide6.QtCore import QCoreApplication

from app.batch.videos.carry_out import RECORD
from app.core.plan import Direction
from app.session.session import Session
from app.storage.formats.palette import encode_palette_png
from app.storage.project.project import Project
from app.storage.settings import Settings

_PLAN = """
out = "results"

[videos]
frames = "clips/*"
anchors = "anchors/{name}"

[[step]]
do = "propagate"
model = "classic"
"""
_PATIENCE_S = 900


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where a batch is tried, by which command, and whose children its workers are."""

    folder: Path
    options: tuple[str, ...]
    parents: tuple[int, ...] = ()  # of the workers; empty: the driver

    def start(self) -> subprocess.Popen[bytes]:
        """Start the driver."""
        command = [sys.executable, "-m", "app", "batch", str(self.folder / "plan.toml")]
        return subprocess.Popen(
            [*command, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def finished(self) -> dict[str, tuple[int, int]]:
        """Return what marks the results of each video that is done; made again, it is another."""
        records = sorted((self.folder / "results").glob(f"*/{RECORD}"))
        return {each.parent.name: (each.stat().st_ino, each.stat().st_mtime_ns) for each in records}

    def workers(self, driver: int) -> list[int]:
        """Return the processes that may have a video now."""
        above = set(self.parents or (driver,))
        words = b"ray::_on_node" if self.parents else b"spawn_main"
        return [pid for pid in _descendants(above) if words in _command(pid)]


def main() -> int:
    """Make the clips, do them in both ways, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--videos", type=int, default=40)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--workers-killed", type=int, default=20)
    parser.add_argument("--drivers-killed", type=int, default=10)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    names = make_clips(asked.root, asked.out, asked.videos, asked.frames)
    began = time.monotonic()
    wanted = by_window(asked.out, names)
    _say(f"{len(names)} clips by the window in {time.monotonic() - began:.0f} s")
    is_right = True
    with _cluster(asked.out, is_wanted=asked.ray) as (options, parents):
        fleet = Fleet(asked.out, options, parents)
        trials: list[tuple[str, Callable[[], int]]] = [
            ("nothing", lambda: _whole(fleet)),
            ("a worker", lambda: kill_workers(fleet, asked.workers_killed, rng)),
            ("the driver", lambda: kill_drivers(fleet, asked.drivers_killed, rng)),
        ]
        for what, trial in trials:
            shutil.rmtree(asked.out / "results", ignore_errors=True)
            began = time.monotonic()
            kills = trial()
            wrong = [name for name in names if contents(_project(asked.out, name)) != wanted[name]]
            left = [each.name for each in (asked.out / "results").glob(".*")]
            _say(
                f"killed {what} {kills} times, {time.monotonic() - began:.0f} s: "
                f"{len(names) - len(wrong)} of {len(names)} projects equal the window's, "
                f"{len(left)} files left over"
            )
            is_right = is_right and not wrong and not left
    return 0 if is_right else 1


def make_clips(root: Path, out: Path, count: int, length: int) -> list[str]:
    """Write `count` clips of `length` frames, an anchor each, and the plan; return their names."""
    names: list[str] = []
    for name, files in _stretches(root, length):
        if len(names) == count:
            break
        mask = root / "Annotations" / name.rpartition("-")[0] / f"{files[0].stem}.png"
        labels = (np.asarray(Image.open(mask).convert("L")) > 0).astype(np.uint8)
        if not labels.any():
            continue
        names.append(name)
        for file in files:
            target = out / "clips" / name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        anchor = out / "anchors" / name / f"{files[0].stem}.png"
        anchor.parent.mkdir(parents=True, exist_ok=True)
        anchor.write_bytes(encode_palette_png(labels))
    (out / "plan.toml").write_text(_PLAN, encoding="utf-8")
    return sorted(names)


def _stretches(root: Path, length: int) -> Iterator[tuple[str, list[Path]]]:
    """Yield the first stretch of every sequence, then the second of every one, and so on."""
    sequences = sorted((root / "JPEGImages").iterdir())
    for start in range(0, 100, length):
        for sequence in sequences:
            files = sorted(sequence.glob("*.jpg"))[start : start + length]
            if len(files) == length:
                yield f"{sequence.name}-{start:03}", files


def by_window(out: Path, names: list[str]) -> dict[str, object]:
    """Do the clips as the window does, one after the other, and return what each project holds."""
    application = QCoreApplication([])
    folder = str(out / "window")
    settings = Settings(tracker="classic", segmenter="classic", autosave_folder=folder)
    session = Session(settings)
    places: dict[str, Path] = {}
    for name in names:
        session.files.open(out / "clips" / name)
        session.files.exchange.import_masks(out / "anchors" / name)
        session.jobs.propagate(Direction.BOTH)
        while session.jobs.running[0]:
            application.processEvents()
            time.sleep(0.005)
        places[name] = session.files.project_path or out
    session.files.close()
    shiboken6.delete(session)
    return {name: contents(path) for name, path in places.items()}


def contents(path: Path) -> object:
    """Return all that a project holds: objects, and every entry with its pixels."""
    if not path.exists():
        return None
    with closing(Project.open(path)) as project:
        document = project.load()
    entries = [(key, entry, entry.mask and entry.mask.decode().tobytes()) for key, entry in
               sorted(document.items())]  # fmt: skip
    return document.objects, entries


def kill_workers(fleet: Fleet, times: int, rng: random.Random) -> int:
    """Kill a worker that has a video, `times` times, and let the batch come to its end."""
    kills = 0
    while kills < times:
        shutil.rmtree(fleet.folder / "results", ignore_errors=True)
        driver = fleet.start()
        while driver.poll() is None and kills < times:
            time.sleep(rng.uniform(0.2, 1.5))
            workers = fleet.workers(driver.pid)
            if workers and fleet.finished():
                os.kill(rng.choice(workers), signal.SIGKILL)
                kills += 1
        driver.wait(_PATIENCE_S)
    _whole(fleet)  # what lost its worker too often is tried once more
    return kills


def kill_drivers(fleet: Fleet, times: int, rng: random.Random) -> int:
    """Kill the driver `times` times; check that nothing that was done is done again."""
    kept: dict[str, tuple[int, int]] = {}
    kills = 0
    while kills < times:
        driver = fleet.start()
        while not fleet.workers(driver.pid) and driver.poll() is None:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.0, 5.0))
        if driver.poll() is not None:  # all was done before: begin anew
            _check_kept(fleet, kept)
            shutil.rmtree(fleet.folder / "results")
            kept = {}
            continue
        workers = fleet.workers(driver.pid)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        kills += 1
        _wait_until(lambda: not any(map(_is_alive, workers)))  # noqa: B023 - called at once
        _check_kept(fleet, kept)
        kept = fleet.finished()
    _whole(fleet)
    _check_kept(fleet, kept)
    return kills


def _check_kept(fleet: Fleet, kept: dict[str, tuple[int, int]]) -> None:
    found = fleet.finished()
    if again := [name for name, mark in kept.items() if found.get(name) != mark]:
        raise SystemExit(f"done again, or lost: {', '.join(again)}")


def _whole(fleet: Fleet) -> int:
    fleet.start().wait(_PATIENCE_S)
    return 0


@contextmanager
def _cluster(
    out: Path, *, is_wanted: bool
) -> Generator[tuple[tuple[str, ...], tuple[int, ...]], None, None]:
    """Yield the options for two workers: those of this machine, or two nodes of a Ray cluster."""
    if not is_wanted:
        yield ("--workers", "2", "--device", "cpu"), ()
        return
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    same = ["--num-cpus=1", "--object-store-memory=100000000", "--block", "--disable-usage-stats"]
    head = ["--head", f"--port={port}", "--include-dashboard=false", "--node-ip-address=127.0.0.1"]
    nodes: list[subprocess.Popen[bytes]] = []
    program = str(Path(sys.executable).with_name("ray"))
    # The nodes and the drivers of this cluster know each other by a token of its own.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    os.environ["PYTHONPATH"] = str(Path.cwd())
    try:
        for words in (head, [f"--address={address}"]):
            with (out / f"ray-{len(nodes)}.log").open("wb") as log:
                nodes.append(
                    subprocess.Popen(
                        [program, "start", *words, *same],
                        stdout=log, stderr=subprocess.STDOUT,
                    )
                )  # fmt: skip
            time.sleep(15)
        yield ("--ray", address, "--device", "cpu"), tuple(node.pid for node in nodes)
    finally:
        for node in reversed(nodes):
            node.terminate()
            node.wait(60)


def _project(out: Path, name: str) -> Path:
    return out / "results" / name / "project.maskwright"


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


def _descendants(parents: set[int]) -> list[int]:
    above: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = (folder / "stat").read_text()
            except OSError:
                continue
            above[int(folder.name)] = int(status.rpartition(")")[2].split()[1])
    found: set[int] = set()
    fresh = parents
    while fresh := {pid for pid, parent in above.items() if parent in fresh}:
        found |= fresh
    return sorted(found)


def _command(pid: int) -> bytes:
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return b""


def _is_alive(pid: int) -> bool:
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
