"""A data set under inspection: read and scored off this thread, ranked, saved, brought over."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.batch.inspection.dataset import score_cases
from app.core.inspection.failures import Failure
from app.core.runs import RunKind
from app.session.runs import dataset
from app.session.runs.dataset import DataSet
from tests.batch.inspection.scenes import lost, swapped, truth
from tests.batch.inspection.sets import write_images, write_masks, write_set
from tests.session.desk import Desk

Progress = tuple[int, int] | None


@pytest.fixture
def found(desk: Desk) -> DataSet:
    return desk.session.inspection.data_set


@pytest.fixture
def told(found: DataSet) -> list[str]:
    said: list[str] = []
    found.told.connect(said.append)
    return said


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set")


@pytest.fixture
def read(found: DataSet, qtbot: QtBot) -> Callable[[Path], None]:
    """Read the data set under both of its predictions and wait until it is scored."""

    def call(root: Path) -> None:
        found.open(root / "gt", [root / "base", root / "new"])
        qtbot.waitUntil(lambda: bool(found.names))

    return call


def test_a_data_set_is_scored_and_how_far_that_is_is_told(
    found: DataSet, qtbot: QtBot, root: Path
) -> None:
    steps, changes = list[Progress](), list[tuple[str, ...]]()
    found.progressed.connect(steps.append)
    found.changed.connect(lambda: changes.append(found.names))
    found.open(root / "gt", [root / "base", root / "new"])
    assert found.paths == (root / "gt", root / "base", root / "new")
    assert (found.names, found.results, found.difference, found.worst(9)) == ((), (), None, [])
    qtbot.waitUntil(lambda: bool(found.names))
    assert found.names == ("A (base)", "B (new)")
    assert changes == [(), ("A (base)", "B (new)")]
    # Of the one before, of this one before anything is known, every tenth frame, the end.
    assert steps == [None, (0, 0), (10, 32), (20, 32), (30, 32), None]


def test_what_is_found_is_ranked_by_what_it_costs(
    found: DataSet, read: Callable[[Path], None], root: Path
) -> None:
    read(root)
    assert [[each.sequence for each in results] for results in found.results] == [
        ["left", "right"], ["left", "right"],
    ]  # fmt: skip
    ranked = found.worst(9)
    assert [(each.run, each.result.sequence, each.episode.failure) for each in ranked] == [
        (0, "left", Failure.MISS),
        (0, "right", Failure.IDENTITY_SWAP),
        (0, "right", Failure.IDENTITY_SWAP),
    ]
    assert [each.episode.lost for each in ranked] == sorted(
        (each.episode.lost for each in ranked), reverse=True
    )
    assert len(found.worst(1)) == 1
    assert found.difference is not None
    assert found.difference.mean > 0


def test_the_worst_of_each_prediction_come_in_one_order(
    found: DataSet, qtbot: QtBot, tmp_path: Path
) -> None:
    root = write_set(tmp_path / "set", {"left": lost()})
    write_masks(root / "other" / "left", swapped())
    found.open(root / "gt", [root / "base", root / "other"])
    qtbot.waitUntil(lambda: bool(found.names))
    assert [each.run for each in found.worst(1)] == [0, 1]
    found.open(root / "gt", [root / "other", root / "base"])
    qtbot.waitUntil(lambda: bool(found.names))
    assert [each.run for each in found.worst(1)] == [1, 0]


def test_images_are_known_where_they_lie_with_the_set(
    found: DataSet, read: Callable[[Path], None], root: Path
) -> None:
    assert found.images_of("left") is None
    images = write_images(root / "gt" / "JPEGImages" / "left")
    for name in ("left", "right"):
        (root / "gt" / name).rename(root / "gt" / "JPEGImages" / f"masks {name}")
        (root / "gt" / "Annotations").mkdir(exist_ok=True)
        (root / "gt" / "JPEGImages" / f"masks {name}").rename(root / "gt" / "Annotations" / name)
    read(root)
    assert found.images_of("left") == images
    assert found.images_of("right") is None
    assert found.images_of("elsewhere") is None


def test_what_cannot_be_read_is_said_and_the_progress_ends(
    found: DataSet, qtbot: QtBot, told: list[str], tmp_path: Path
) -> None:
    steps = list[Progress]()
    found.progressed.connect(steps.append)
    found.open(tmp_path / "nothing", [tmp_path])
    qtbot.waitUntil(lambda: bool(told))
    assert "does not exist" in told[0]
    assert steps[-1] is None
    assert found.names == ()


def test_what_is_to_be_known_of_the_set_is_told(
    found: DataSet, qtbot: QtBot, told: list[str], tmp_path: Path
) -> None:
    for size in ("480p", "1080p"):
        write_masks(tmp_path / "gt" / size / "left", truth())
    write_masks(tmp_path / "base" / "left", truth())
    found.open(tmp_path / "gt", [tmp_path / "base"])
    qtbot.waitUntil(lambda: bool(told))
    assert "several sizes" in told[0]
    assert found.difference is None


def test_a_set_that_is_left_while_it_is_scored_is_dropped(
    found: DataSet, qtbot: QtBot, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun, score = threading.Event(), threading.Event(), score_cases
    ended = threading.Event()

    def waiting(cases: object, predictions: object, threads: int, progress: object) -> object:
        begun.set()
        gate.wait(30)
        runs = score(cases, predictions, threads, progress)  # type: ignore[arg-type]
        ended.set()
        return runs

    monkeypatch.setattr(dataset, "score_cases", waiting)
    steps = list[Progress]()
    found.progressed.connect(steps.append)
    found.open(root / "gt", [root / "base"])
    begun.wait(30)
    threading.Timer(0.05, gate.set).start()
    found.stop()  # waits for the frame that is scored
    assert steps[-1] is None
    assert not ended.is_set()  # it gives up at the next frame
    qtbot.wait(50)
    assert not found.names
    assert steps[-1] is None
    found.open(root / "gt", [root / "new"])
    qtbot.waitUntil(lambda: list(found.names) == ["A (new)"])


def test_a_figure_is_saved_in_the_form_that_its_name_says(
    found: DataSet, qtbot: QtBot, told: list[str], read: Callable[[Path], None], root: Path
) -> None:
    read(root)
    first = found.worst(1)[0]
    for name, head in (("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("b.PNG", b"\x89PNG")):
        path = root / name
        found.save_figure(first, path)
        assert told[-1] == f"Writing {path}…"
        qtbot.waitUntil(lambda path=path: told[-1] == f"Saved {path}.")
        assert path.read_bytes().startswith(head)


def test_a_report_is_saved_and_what_fails_is_said(
    found: DataSet, qtbot: QtBot, told: list[str], read: Callable[[Path], None], root: Path
) -> None:
    found.save_report(root / "early", 1)  # nothing is read yet
    assert told == []
    read(root)
    found.save_report(root / "report", 1)
    qtbot.waitUntil(lambda: told[-1] == f"Saved {root / 'report' / 'index.html'}.")
    figures = {path.stem for path in (root / "report" / "figures").iterdir()}
    assert figures == {"A-01", "A-01-curve"}
    (root / "file").write_bytes(b"")
    found.save_figure(found.worst(1)[0], root / "file" / "a.svg")
    qtbot.waitUntil(lambda: not told[-1].startswith(("Saved", "Writing")))


def test_the_masks_of_a_sequence_become_runs_once(
    desk: Desk, found: DataSet, qtbot: QtBot, read: Callable[[Path], None], tmp_path: Path
) -> None:
    root = write_set(tmp_path / "set", {"left": lost()})
    runs, clip = desk.session.inspection.runs, write_images(tmp_path / "images")
    desk.session.files.open(clip)
    desk.prepare()
    read(root)
    found.bring_runs("left", 0)
    qtbot.waitUntil(lambda: len(runs.infos) == 3)
    kinds = {info.name: info.kind for info in runs.infos.values()}
    assert kinds == {
        "ground truth": RunKind.GROUND_TRUTH,
        "base": RunKind.PREDICTION,
        "new": RunKind.PREDICTION,
    }
    numbers = {info.name: number for number, info in runs.infos.items()}
    sources = {info.name: Path(info.source) for info in runs.infos.values()}
    assert sources["base"] == root / "base" / "left"
    qtbot.waitUntil(lambda: runs.shown == numbers["base"])
    found.bring_runs("left", 1)  # those that are there are only looked at
    qtbot.waitUntil(lambda: runs.shown == numbers["new"])
    assert len(runs.infos) == 3
    assert runs.truth == numbers["ground truth"]


@pytest.mark.parametrize("what", ["gt", "base", "other", "."])
def test_a_report_takes_the_place_of_nothing_else(
    found: DataSet, qtbot: QtBot, told: list[str], read: Callable[[Path], None], root: Path,
    what: str,
) -> None:  # fmt: skip
    (root / "other").mkdir()
    (root / "other" / "mine.txt").write_text("kept")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    read(root)
    found.save_report(root / what, 1)
    qtbot.waitUntil(lambda: not told[-1].startswith("Writing"))
    assert "another place" in told[-1] or "Give a new folder" in told[-1]
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_figure_takes_the_place_of_no_mask(
    found: DataSet, qtbot: QtBot, told: list[str], read: Callable[[Path], None], root: Path
) -> None:
    read(root)
    mask = next((root / "gt").rglob("*.png"))
    before = mask.read_bytes()
    (root / "link.png").symlink_to(mask)
    for path in (mask, root / "link.png"):
        found.save_figure(found.worst(1)[0], path)
        qtbot.waitUntil(lambda: not told[-1].startswith("Writing"))
        assert "Choose another place" in told[-1]
        told.clear()
    assert mask.read_bytes() == before
