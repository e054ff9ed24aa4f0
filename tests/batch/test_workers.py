"""The workers of a batch: what dies, what breaks, who has room, and what nodes are given."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.batch.videos.carry_out import Outcome
from app.batch.videos.plan import VideoTask
from app.batch.videos.results import fresh_results, held
from app.batch.videos.workers.local import LocalWorkers
from app.batch.videos.workers.node_weights import files_of, provide
from app.batch.videos.workers.placement import devices, places, share
from app.errors import UsageError
from app.storage.files.lock import FileLock
from models.api import LoadOptions
from models.weights import store
from tests.waiting import PATIENCE

GIB = 1 << 30


def tasks(names: Iterable[str], folder: Path = Path("out")) -> list[VideoTask]:
    return [VideoTask(n, Path(n), Path(n), folder / n, (), LoadOptions()) for n in names]


def breaks_at_pan(task: VideoTask) -> Outcome:
    """Stand in for a bug that a video brings to light."""
    if task.name == "pan":
        raise ZeroDivisionError("no pixels")
    return Outcome(task.name, 1)


def says_its_device(task: VideoTask) -> Outcome:
    return Outcome(task.name, error=task.options.device)


def dies_once(task: VideoTask) -> Outcome:
    """Stand in for a worker that is killed at its first try of each video."""
    mark = task.out.with_suffix(".tried")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with task.out.with_suffix(".log").open("a") as log:
        log.write("done\n")
    return Outcome(task.name, 1)


def takes_long(task: VideoTask) -> Outcome:
    task.out.with_suffix(".pid").write_text(str(os.getpid()))
    time.sleep(10 * PATIENCE)
    return Outcome(task.name)


def test_an_error_that_nobody_foresaw_is_reported_with_its_traceback() -> None:
    outcomes = {each.name: each for each in LocalWorkers(breaks_at_pan, 2).outcomes(
        tasks(["cup", "pan", "lid"]))}  # fmt: skip
    assert sorted(name for name, each in outcomes.items() if not each.error) == ["cup", "lid"]
    assert outcomes["pan"].error == "ZeroDivisionError: no pixels"
    assert "breaks_at_pan" in outcomes["pan"].log


def test_a_worker_that_is_killed_costs_its_video_one_try_and_others_nothing(tmp_path: Path) -> None:
    names = ["cup", "pan", "lid"]
    outcomes = list(LocalWorkers(dies_once, 2).outcomes(tasks(names, tmp_path)))
    assert sorted(each.name for each in outcomes) == sorted(names)
    assert not [each.error for each in outcomes if each.error]
    assert all((tmp_path / f"{name}.log").read_text() == "done\n" for name in names)


def test_each_worker_has_its_device() -> None:
    workers = LocalWorkers(says_its_device, 2, ["cuda:0", "cuda:1"])
    found = {each.error for each in workers.outcomes(tasks(map(str, range(8))))}
    assert found <= {"cuda:0", "cuda:1"}
    assert found


_DRIVER = """
from pathlib import Path
from app.batch.videos.workers.local import LocalWorkers
from tests.batch.test_workers import takes_long, tasks
if __name__ == "__main__":
    list(LocalWorkers(takes_long, 1).outcomes(tasks(["cup"], Path({folder!r}))))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_workers_end_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(_DRIVER.format(folder=str(tmp_path)))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    driver = subprocess.Popen([sys.executable, str(script)], env=environment)
    file = tmp_path / "cup.pid"
    _wait_for(lambda: file.exists() and file.read_text() != "")
    worker = int(file.read_text())
    assert _is_alive(worker)
    driver.kill()
    driver.wait()
    _wait_for(lambda: not _is_alive(worker))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def _wait_for(holds: object) -> None:
    assert callable(holds)
    end = time.monotonic() + 6 * PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_a_killed_process_left_is_cleared_and_what_it_moved_aside_comes_back(
    tmp_path: Path,
) -> None:
    out = tmp_path / "cup"
    (tmp_path / ".cup.old").mkdir()
    (tmp_path / ".cup.old" / "mask.png").touch()
    (tmp_path / ".cup.unfinished").mkdir()
    (tmp_path / ".cup.unfinished" / "half.png").touch()
    with held(out):
        assert [each.name for each in out.iterdir()] == ["mask.png"]
        with fresh_results(out) as folder:
            assert not list(folder.iterdir())
            (folder / "whole.png").touch()
    assert [each.name for each in tmp_path.iterdir()] == ["cup"]
    assert [each.name for each in out.iterdir()] == ["whole.png"]


def test_results_are_made_by_one_process_at_a_time(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / ".cup")
    entered = threading.Event()

    def wait_and_enter() -> None:
        with held(tmp_path / "cup"):
            entered.set()

    thread = threading.Thread(target=wait_and_enter)
    thread.start()
    assert not entered.wait(0.5)
    lock.release()
    assert entered.wait(PATIENCE)
    thread.join()


def test_as_many_videos_share_a_device_as_have_room() -> None:
    found = {"cuda:0": 24 * GIB, "cuda:1": 10 * GIB, "cuda:2": 4 * GIB}
    assert devices(found, None) == ["cuda:0", "cuda:1", "cuda:2"]
    assert devices(found, 10 * GIB) == ["cuda:0", "cuda:1", "cuda:0"]
    assert devices({}, 10 * GIB) == []
    with pytest.raises(UsageError, match=r"24\.0 GiB"):
        devices(found, 30 * GIB)


def test_a_cluster_gives_a_video_the_part_of_a_gpu_that_it_takes() -> None:
    assert share([24 * GIB, 16 * GIB], None) == 1
    assert share([24 * GIB, 16 * GIB], 5 * GIB) == pytest.approx(1 / 3, abs=1e-4)
    assert 3 * share([24 * GIB, 16 * GIB], 5 * GIB) <= 1
    with pytest.raises(UsageError, match=r"16\.0 GiB"):
        share([24 * GIB, 16 * GIB], 20 * GIB)


def test_the_memory_of_a_machine_bounds_its_workers() -> None:
    assert places(1 << 60) == 1
    assert places(GIB) >= 1
    assert places(GIB) >= places(2 * GIB)


def fetch_slowly(counter: Path) -> bytes:
    with counter.open("a") as log:
        log.write("fetched\n")
    time.sleep(0.3)
    return b"weights"


def provide_cutie(home: str, counter: str) -> None:
    os.environ["MASKWRIGHT_HOME"] = home
    provide({"cutie-small-mega.pth": counter}, lambda kept: fetch_slowly(Path(str(kept))))


def test_weights_are_written_once_a_node_however_many_workers_want_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "fetched.txt"
    context = multiprocessing.get_context("spawn")
    given = (str(tmp_path / "home"), str(counter))
    several = [context.Process(target=provide_cutie, args=given) for _ in range(3)]
    for each in several:
        each.start()
    for each in several:
        each.join()
    assert [each.exitcode for each in several] == [0, 0, 0]
    assert counter.read_text() == "fetched\n"
    monkeypatch.setenv("MASKWRIGHT_HOME", given[0])
    place = store.place("cutie-small")
    assert place.read_bytes() == b"weights"
    assert [each.name for each in place.parent.iterdir()] == [place.name]
    # From here on they are taken for what other nodes are given; what is not here is not.
    assert files_of(["cutie-small", "cutie-base", "lite", "classic"]) == {place.name: place}
    own = place.parent / "own" / "lite" / "mine.pt"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    assert files_of(["mine"]) == {"own/lite/mine.pt": own}


def test_weights_go_with_their_companions_and_only_those_that_are_missing_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    whole = next(each for each in store.known() if each.companions)
    names = [whole.name, *whole.companions]
    for name in names:
        store.place(name).parent.mkdir(parents=True, exist_ok=True)
        store.place(name).write_bytes(b"here")
    assert set(files_of([whole.name]).values()) == {store.place(name) for name in names}
    held = {place: place for place in files_of([whole.name])}
    fetched = list[object]()

    def fetch(kept: object) -> bytes:
        fetched.append(kept)
        return b"fetched"

    provide(held, fetch)
    assert fetched == []
    last = list(held)[-1]  # those before it are here, which ends nothing
    (store.folder() / last).unlink()
    provide(held, fetch)
    assert fetched == [last]
    assert (store.folder() / last).read_bytes() == b"fetched"
    for place in held:
        (store.folder() / place).unlink()
    provide(held, fetch)
    assert fetched == [last, *held]
