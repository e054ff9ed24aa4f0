"""What is found of predictions, as CSV and JSON."""

import csv
import io
from pathlib import Path

import pytest

from app.batch.inspection.provenance import program
from app.batch.inspection.tables import (
    Run,
    difference,
    events_csv,
    frames_csv,
    names_of,
    summary,
)
from app.core.evaluate import Protocol
from app.core.inspection.failures import Failure
from tests.batch.inspection.scenes import (
    COUNT,
    leaking,
    lost,
    result_of,
    slight,
    squares,
    swapped,
    truth,
)


def run_of(letter: str, *names: str) -> Run:
    """Return a run of sequences by what happens in them."""
    kinds = {"lost": lost, "swapped": swapped, "slight": slight, "good": truth, "leaking": leaking}
    results = tuple(result_of(kinds[each](), name=f"{place}") for place, each in enumerate(names))
    return Run(letter, "base", Path("masks"), results)


def read(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def test_a_run_goes_by_its_letter_and_its_label() -> None:
    assert run_of("B", "good").name == "B (base)"


def test_episodes_of_all_sequences_come_by_what_they_cost() -> None:
    found = run_of("A", "slight", "lost", "swapped").episodes()
    assert [(result.sequence, each.failure) for result, each in found] == [
        ("2", Failure.IDENTITY_SWAP),
        ("2", Failure.IDENTITY_SWAP),
        ("1", Failure.MISS),
        ("0", Failure.BOUNDARY),
    ]


def test_failures_are_counted_over_all_sequences() -> None:
    totals = run_of("A", "lost", "lost", "swapped").totals()
    assert {failure: count for failure, count in totals.items() if count} == {
        Failure.GOOD: 2 * 16 + 12,
        Failure.MISS: 6,
        Failure.PART_LOSS: 2,
        Failure.IDENTITY_SWAP: 8,
    }


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/base", "runs/new"], ["base", "new"]),
        (["base/masks", "new/masks"], ["base", "new"]),
        (["base.json", "new.json"], ["base", "new"]),
        (["runs/base"], ["base"]),
        (["base", "base"], ["base", "base"]),
        (["a/base", "a/base"], ["base", "base"]),
    ],
)
def test_predictions_are_called_by_what_tells_their_paths_apart(
    paths: list[str], names: list[str]
) -> None:
    assert names_of([Path(each) for each in paths]) == names


def test_the_difference_is_how_much_better_the_second_run_is() -> None:
    assert difference([run_of("A", "lost", "good")]) is None
    found = difference([run_of("A", "lost", "good"), run_of("B", "good", "good")])
    assert found is not None
    gain = 1 - result_of(lost()).jf[0]
    assert found.mean == pytest.approx(gain / 4)  # of one of four objects
    assert found.sequences == 2


def test_each_scored_frame_of_each_object_has_a_row_of_its_own() -> None:
    places = [100 + 2 * place for place in range(COUNT)]
    result = result_of(swapped(), places)
    rows = read(frames_csv([Run("A", "base", Path(), (result,)), run_of("B", "good")]))
    assert len(rows) == 2 * 2 * COUNT
    assert rows[0] == {
        "run": "A", "sequence": "kitchen", "object": "cup", "frame": "00100", "position": "100",
        "J": "1.0", "F": "1.0", "J&F": "1.0", "failure": "good", "with": "",
        "truth_px": "400", "prediction_px": "400",
    }  # fmt: skip
    assert (rows[13]["object"], rows[13]["position"], rows[13]["failure"], rows[13]["with"]) == (
        "plate", "112", "identity swap", "cup",
    )  # fmt: skip
    assert rows[12]["with"] == "plate"
    assert {row["run"] for row in rows[2 * COUNT :]} == {"B"}


def test_rows_of_frames_hold_the_whole_number() -> None:
    result = result_of(lost())
    rows = read(frames_csv([Run("A", "base", Path(), (result,))]))
    part = next(row for row in rows if row["failure"] == "part loss")
    assert float(part["J"]) == result.measures.j[7, 0]
    assert float(part["F"]) == result.measures.f[7, 0]
    assert float(part["J&F"]) == result.measures.jf[7, 0]
    assert (part["truth_px"], part["prediction_px"]) == ("400", "200")


def test_each_episode_has_a_row_with_its_course_and_causes() -> None:
    rows = read(events_csv([run_of("A", "lost", "swapped"), run_of("B", "slight")]))
    assert [(row["run"], row["sequence"], row["object"]) for row in rows] == [
        ("A", "1", "cup"), ("A", "1", "plate"), ("A", "0", "cup"), ("B", "0", "plate"),
    ]  # fmt: skip
    assert rows[2] == {
        "run": "A", "sequence": "0", "object": "cup", "failure": "miss", "with": "",
        "onset": "00004", "worst": "00004", "last": "00007", "recovery": "00008",
        "scored_frames": "4", "lost": "3.4429", "likely_cause": "unknown", "other_causes": "",
    }  # fmt: skip
    assert (rows[0]["with"], rows[1]["with"], rows[0]["recovery"]) == ("plate", "cup", "")


def test_further_causes_stand_after_the_likeliest() -> None:
    # A tiny cup leaves and comes back next to nothing: it is small, too.
    frames = [squares(None) for _ in range(COUNT)]
    drawn = [each.copy() for each in frames]
    for index in (0, 1, 2, 6, 7, 8, 9):
        drawn[index][20:23, 10:13] = 1
    for index in range(3):
        frames[index][20:23, 10:13] = 1
    (row,) = read(events_csv([Run("A", "base", Path(), (result_of(frames, drawn=drawn),))]))
    assert (row["likely_cause"], row["other_causes"]) == ("left and came back", "small")


def test_the_summary_of_one_run_holds_its_means_by_sequence_and_object() -> None:
    run = run_of("A", "lost", "slight")
    found = summary([run], Path("truth"), Protocol.DAVIS2017)
    assert found["program"] == program()
    assert (found["protocol"], found["ground_truth"]) == ("davis2017", "truth")
    assert "difference" not in found
    runs = found["runs"]
    assert isinstance(runs, dict)
    ((letter, told),) = runs.items()
    assert (letter, told["masks"], told["episodes"]) == ("A", "masks", 2)
    assert {name: count for name, count in told["failures"].items() if count} == {
        "good": 26, "miss": 3, "part loss": 1, "boundary only": 10,
    }  # fmt: skip
    first, second = run.results
    means = first.measures.j.mean(axis=0), first.measures.f.mean(axis=0)
    here = told["sequences"]["0"]
    assert here["frames"] == COUNT
    assert here["sparse"] is False
    assert here["objects"]["cup"] == {
        "J": means[0][0], "F": means[1][0], "J&F": pytest.approx((means[0][0] + means[1][0]) / 2),
    }  # fmt: skip
    assert here["objects"]["plate"] == {"J": 1.0, "F": 1.0, "J&F": 1.0}
    assert here["J"] == pytest.approx(means[0].mean())
    assert here["J&F"] == pytest.approx((means[0].mean() + means[1].mean()) / 2)
    assert here["failures"]["miss"] == 3
    both = [*first.jf, *second.jf]
    assert told["J&F"] == pytest.approx(sum(both) / 4)
    assert told["sequences"].keys() == {"0", "1"}


def test_the_summary_says_how_scores_depend_on_circumstances() -> None:
    run = run_of("A", "lost")
    runs = summary([run], Path("truth"), Protocol.DAVIS2017)["runs"]
    assert isinstance(runs, dict)
    table = runs["A"]["attributes"]
    shares = run.attributes()
    assert list(table) == list(dict.fromkeys(share.attribute for share in shares))
    for share in shares:
        assert table[share.attribute][share.name] == {"frames": share.frames, "J&F": share.jf}
    assert sum(each["frames"] for each in table["size"].values()) == 2 * COUNT


def test_the_summary_of_two_runs_says_how_they_differ() -> None:
    runs = [run_of("A", "lost", "good", "slight"), run_of("B", "good", "good", "good")]
    found = summary(runs, Path("truth"), Protocol.VISOR)["difference"]
    between = difference(runs)
    assert between is not None
    assert found == {
        "J&F": between.mean, "low": between.low, "high": between.high, "confidence": 0.95,
        "sequences": 3,
    }  # fmt: skip
