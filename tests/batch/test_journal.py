"""What is written of a batch: the page, the list, the logs; and what it costs."""

import csv
from pathlib import Path

import pytest

from app.batch.videos.carry_out import Outcome
from app.batch.videos.journal.journal import Journal
from app.batch.videos.journal.page import page
from app.batch.videos.journal.standing import SHOWN, Standing
from app.batch.videos.plan import BatchPlan, Propagate, read_plan
from models.api import LoadOptions

PLAN = """
out = "results"
price = 3.6
currency = "EUR"

[videos]
frames = "clips/*"
anchors = "anchors/{name}"

[[step]]
do = "propagate"
"""


@pytest.fixture
def plan(tmp_path: Path) -> BatchPlan:
    """A plan over three videos."""
    for name in ("cup", "lid", "pan"):
        (tmp_path / "clips").mkdir(exist_ok=True)
        (tmp_path / "clips" / f"{name}.mp4").touch()
    (tmp_path / "plan.toml").write_text(PLAN)
    return read_plan(tmp_path / "plan.toml", LoadOptions())


def test_every_outcome_is_listed_and_a_failure_has_its_log(plan: BatchPlan) -> None:
    with Journal(plan) as journal:
        journal.add(Outcome("cup", 30, 2.0, 0.9))
        journal.add(Outcome("lid", error="It broke.", log="in full\nwhy"))
        journal.add(Outcome("pan", 10, 1.0, was_done=True))
    rows = list(csv.DictReader((plan.out / "outcomes.csv").read_text().splitlines()))
    assert [(row["video"], row["state"]) for row in rows] == [
        ("cup", "done"), ("lid", "failed"), ("pan", "was done"),
    ]  # fmt: skip
    log = plan.out / "failed" / "lid.txt"
    assert log.read_text() == "in full\nwhy"
    text = (plan.out / "index.html").read_text()
    assert 'href="failed/lid.txt"' in text
    assert "3 of 3 videos" in text
    with Journal(plan) as journal:
        journal.add(Outcome("lid", 5, 1.0))
    assert not log.exists()


def test_what_a_batch_costs_is_told_so_far_and_to_its_end() -> None:
    standing = Standing(10, 3.6, "EUR")
    standing.add(Outcome("a", 100, 1000.0), 500.0)
    standing.add(Outcome("b", 100, 1000.0), 1000.0)
    standing.add(Outcome("c", 100, 1000.0, was_done=True), 1000.0)
    assert standing.cost == "0.556 of 2.5 worker hours, 2.00 of 9.00 EUR"
    assert standing.fps == pytest.approx(0.2)
    assert standing.seconds_left == pytest.approx(500.0 * 7)
    assert "2.00 of 9.00 EUR" in page(standing)
    assert Standing(10).cost == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(60.0, "9 min left"), (1200.0, "3.0 hours left"), (86400.0, "9.0 days")]
)
def test_the_time_left_is_told_as_people_do(seconds: float, words: str) -> None:
    standing = Standing(10)
    standing.add(Outcome("a", 100, seconds), seconds)
    assert words in page(standing)


def test_many_outcomes_take_no_more_memory_and_no_longer_page() -> None:
    standing = Standing(100_000)
    for number in range(SHOWN * 3):
        standing.add(Outcome(f"video {number}", 1, 1.0, error="No."), 1.0)
    assert len(standing.latest) == len(standing.failed) == SHOWN
    text = page(standing)
    assert text.count("<tr>") <= 2 * SHOWN + 2
    assert f"{SHOWN * 3} failed" in text
    assert "video 0" in text
    assert f"video {SHOWN * 3 - 1}" in text


def test_tasks_are_made_when_they_are_asked_for(plan: BatchPlan) -> None:
    tasks = plan.tasks
    assert len(tasks) == 3
    assert tasks[0] is not tasks[0]
    assert tasks[0] == tasks[0]
    assert [each.name for each in tasks] == ["cup", "lid", "pan"]
    assert [each.name for each in tasks[1:]] == ["lid", "pan"]
    assert plan.with_models("lite", "mobile-sam").tasks[2].steps == (Propagate("lite"),)
    assert plan.steps == (Propagate(""),)
    assert (plan.price, plan.currency) == (3.6, "EUR")
