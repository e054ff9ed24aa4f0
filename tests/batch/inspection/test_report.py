"""The report of an inspection: its files, its page, its figures."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from app.batch.inspection.figures import FAILURE_COLORS
from app.batch.inspection.page import build_page
from app.batch.inspection.provenance import program
from app.batch.inspection.report import PARTS, episode_drawing, take_shots, write_report
from app.batch.inspection.tables import Run, events_csv, frames_csv, summary
from app.core.evaluate import Protocol
from app.core.inspection.episodes import Episode
from app.core.inspection.failures import Failure
from app.core.inspection.results import Result
from tests.batch.inspection.drawings import SVG, rasters, texts
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
from tests.batch.inspection.sets import GREYS, scored, write_images, write_set

Shown = tuple[Run, Result, Episode, str]


def run_of(letter: str, *results: Result, label: str = "base") -> Run:
    return Run(letter, label, Path("masks"), results)


def page_of(runs: Sequence[Run], worst: Sequence[Shown] = ()) -> str:
    return build_page(runs, Path("my <truth>"), Protocol.DAVIS2017, worst).decode()


def tables(page: str) -> list[list[list[str]]]:
    """Return the tables of a page: rows of cells in words, the head first."""
    found = []
    for table in re.findall(r"<table>(.*?)</table>", page, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        found.append([[plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
                      for row in rows])  # fmt: skip
    return found


def plain(html: str) -> str:
    html = re.sub(r"<svg.*?</svg>", "", html)
    return unescape(re.sub(r"<[^>]*>", "", html.replace("<br>", " "))).strip()


def cards(page: str) -> list[str]:
    found = re.findall(r'<div class="card">(.*?)</div>', page)
    return [plain(re.sub(r"</?(b|span)[^>]*>", " ", each)).replace("  ", " ") for each in found]


def test_a_report_is_whole_and_says_what_the_tables_say(tmp_path: Path) -> None:
    runs, cases = scored(write_set(tmp_path))
    told = list[int]()
    out = tmp_path / "out"
    write_report(out, runs, cases, tmp_path / "gt", worst=2, progress=lambda: told.append(1))
    assert {path.name for path in out.iterdir()} == PARTS
    names = [f"A-0{place}{kind}" for place in (1, 2) for kind in ("", "-curve")]
    assert {path.name for path in (out / "figures").iterdir()} == {
        f"{name}.{form}" for name in names for form in ("svg", "png")
    }
    assert len(told) == 2
    assert (out / "frames.csv").read_bytes() == frames_csv(runs)
    assert (out / "events.csv").read_bytes() == events_csv(runs)
    held = summary(runs, tmp_path / "gt", Protocol.DAVIS2017)
    assert json.loads((out / "summary.json").read_bytes()) == json.loads(json.dumps(held))
    page = (out / "index.html").read_text(encoding="utf-8")
    for number, (result, episode) in enumerate(runs[0].episodes()[:2], 1):
        assert f'src="figures/A-0{number}.svg"' in page
        figure = episode_drawing(runs, runs[0], result, episode, cases)
        assert (out / "figures" / f"A-0{number}.svg").read_bytes() == figure.svg()


def test_each_run_has_the_figures_of_its_own_worst_episodes(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    runs, cases = scored(root, "new", "base")
    write_report(tmp_path / "out", runs, cases, root / "gt", worst=1)
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert {name for name in figures if name.endswith("1.svg")} == {"B-01.svg"}
    (title,) = ET.parse(tmp_path / "out" / "figures" / "B-01.svg").getroot().iter(f"{SVG}title")
    assert title.text
    assert title.text.startswith("left, object 1: miss. Run B (base)")


def test_a_figure_shows_the_run_it_is_of_first_and_the_other_one_s_curve(tmp_path: Path) -> None:
    runs, cases = scored(write_set(tmp_path), "new", "base")
    result, episode = runs[1].episodes()[0]
    figure = episode_drawing(runs, runs[1], result, episode, cases)
    said = texts(figure)
    assert said["B (base)"].y == said["A (new)"].y  # the legend of the curves: both
    assert said["B (base)"].x < said["A (new)"].x
    assert len(rasters(figure)) == 2 * 5
    assert figure.description.startswith("left, object 1: miss. Run B (base)")


def test_shots_are_the_object_s_masks_on_the_frames_that_tell(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    for name in ("left", "right"):
        write_images(tmp_path / "images" / name)
    runs, cases = scored(root)
    (result, _) = runs[0].results
    (episode,) = result.episodes
    shots = take_shots(cases["A", "left"], result, episode)
    # Frame 1 is the first that is scored.
    assert [shot.place for shot in shots] == [2, 3, 4, 6, 7]
    for shot in shots:
        assert (shot.truth == (truth()[shot.place + 1] == 1)).all()
        assert (shot.prediction == (lost()[shot.place + 1] == 1)).all()
        assert shot.image is not None
        assert shot.image.mean() == pytest.approx(GREYS[shot.place + 1], abs=2)
    assert [shot.place for shot in take_shots(cases["A", "left"], result, episode, 2)] == [3, 7]


def test_shots_of_the_second_object_are_the_second_object_s(tmp_path: Path) -> None:
    runs, cases = scored(write_set(tmp_path, {"only": swapped()}))
    result = runs[0].results[0]
    episode = next(each for each in result.episodes if each.object == 1)
    for shot in take_shots(cases["A", "only"], result, episode):
        assert (shot.truth == (truth()[shot.place + 1] == 2)).all()
        assert (shot.prediction == (swapped()[shot.place + 1] == 2)).all()
        assert shot.image is None


def test_the_page_says_what_was_scored_and_how_well() -> None:
    run = run_of("A", result_of(lost()), result_of(slight(), name="b"))
    page = page_of([run])
    assert "<title>Failures of A (base)</title>" in page
    assert f"against my &lt;truth&gt;, protocol davis2017; {program()}" in page
    j, f = (
        np.mean([each.measures[place].mean(axis=0) for each in run.results]) for place in (0, 1)
    )
    assert cards(page) == [
        f"A (base) {(j + f) / 2:.3f} J&F; J {j:.3f}, F {f:.3f} 2 episodes",
        "Scored 20 frames of 2 sequence(s), 4 object(s)",
    ]


def test_the_page_says_how_two_runs_differ_and_how_sure_that_is() -> None:
    good = [result_of(truth(), name=str(place)) for place in range(2)]
    bad = [result_of(lost(), name=str(place)) for place in range(2)]
    gain = (1 - bad[0].jf[0]) / 2
    few = cards(page_of([run_of("A", *bad), run_of("B", *good)]))[2]
    assert few == (
        f"B minus A {gain:+.3f} 95 % between {gain:+.3f} and {gain:+.3f} paired bootstrap over "
        "2 sequences, which are few"
    )
    alone = cards(page_of([run_of("A", bad[0]), run_of("B", good[0])]))[2]
    assert alone == f"B minus A {gain:+.3f} one sequence says nothing of others: no interval"
    bad, good = ([result_of(kind(), name=str(place)) for place in range(40)]
                 for kind in (lost, truth))  # fmt: skip
    many = cards(page_of([run_of("A", *bad), run_of("B", *good)]))[2]
    assert many.endswith("over 40 sequences")


def test_the_page_says_where_the_truth_is_sparse() -> None:
    sparse = result_of(lost(), range(0, 50, 5))
    assert cards(page_of([run_of("A", sparse, result_of(lost()))]))[-1] == (
        "Scored 20 frames of 2 sequence(s), 4 object(s) 1 with sparse ground truth"
    )


def test_failures_are_counted_with_their_share_and_the_commonest_has_the_longest_bar() -> None:
    page = page_of([run_of("A", result_of(lost()), result_of(swapped()))])
    head, *rows = tables(page)[0]
    assert head == ["failure", "A: frames", "", ""]
    assert {row[0]: (row[1], row[2]) for row in rows if row[1] != "0"} == {
        "good": ("28", "70.0 %"),
        "identity swap": ("8", "20.0 %"),
        "miss": ("3", "7.5 %"),
        "part loss": ("1", "2.5 %"),
    }
    bars = re.findall(r'style="width:(\d+)%"><div class="bar" style="width:([\d.]+)%;back'
                      r'ground:(#\w+)"', page)  # fmt: skip
    lengths = {color: float(length) for _, length, color in bars}
    assert len(bars) == len(Failure) - 1  # what is good has none
    assert lengths[FAILURE_COLORS[Failure.IDENTITY_SWAP]] == 100
    assert lengths[FAILURE_COLORS[Failure.MISS]] == 37.5
    assert lengths[FAILURE_COLORS[Failure.LEAK_BACKGROUND]] == 0
    assert {room for room, *_ in bars} == {"50"}


def test_failures_of_two_runs_stand_side_by_side_on_one_scale() -> None:
    page = page_of([run_of("A", result_of(lost())), run_of("B", result_of(swapped()))])
    head, *rows = tables(page)[0]
    assert head == ["failure", "A: frames", "", "", "B: frames", "", ""]
    counts = {row[0]: (row[1], row[4]) for row in rows}
    assert (counts["good"], counts["miss"], counts["identity swap"]) == (
        ("16", "12"), ("3", "0"), ("0", "8"),
    )  # fmt: skip
    bars = re.findall(r'style="width:(\d+)%"><div class="bar" style="width:([\d.]+)%', page)
    assert sorted({float(length) for _, length in bars}) == [0, 12.5, 37.5, 100]
    assert {room for room, _ in bars} == {"22"}


def test_a_run_without_failure_has_a_page() -> None:
    page = page_of([run_of("A", result_of(truth()))])
    assert "There is none: every mask is good." in page
    assert {row[1] for row in tables(page)[0][1:]} == {"20", "0"}
    assert "No figures were asked for" in page_of([run_of("A", result_of(lost()))])


def test_scores_by_circumstance_name_each_attribute_once_and_leave_open_what_no_frame_has() -> None:
    first, second = run_of("A", result_of(lost())), run_of("B", result_of(truth()))
    head, *rows = tables(page_of([first]))[1]
    assert head == ["attribute", "class", "frames", "J&F A"]
    shares = first.attributes()
    assert [row[0] for row in rows if row[0]] == list(dict.fromkeys(s.attribute for s in shares))
    assert [row[1:] for row in rows] == [
        [share.name, str(share.frames), "\u2013" if share.jf is None else f"{share.jf:.3f}"]
        for share in shares
    ]
    assert "\u2013" in {row[3] for row in rows}
    head, *rows = tables(page_of([first, second]))[1]
    assert head == ["attribute", "class", "frames", "J&F A", "J&F B", "B minus A"]
    for row, share, other in zip(rows, shares, second.attributes(), strict=True):
        known = share.jf is not None and other.jf is not None
        assert row[5] == (f"{other.jf - share.jf:+.3f}" if known else "")  # type: ignore[operator]


def test_sequences_come_worst_first_with_each_object_and_run() -> None:
    runs = [
        run_of(letter, *(result_of(kind(), name=name) for kind, name in kinds))
        for letter, kinds in (
            ("A", ((truth, "fine <1>"), (lost, "bad"))),
            ("B", ((truth, "fine <1>"), (truth, "bad"))),
        )
    ]
    page = page_of(runs)
    head, *rows = tables(page)[2]
    assert head == ["sequence, object", "run", "J", "F", "J&F", "frame by frame"]
    assert [(row[0], row[1]) for row in rows] == [
        ("bad cup", "A"), ("", "B"), ("bad plate", "A"), ("", "B"),
        ("fine <1> cup", "A"), ("", "B"), ("fine <1> plate", "A"), ("", "B"),
    ]  # fmt: skip
    bad = runs[0].results[1].measures
    j, f = bad.j[:, 0].mean(), bad.f[:, 0].mean()
    assert rows[0][2:5] == [f"{j:.3f}", f"{f:.3f}", f"{(j + f) / 2:.3f}"]
    assert rows[1][2:5] == ["1.000"] * 3
    assert page.count("<svg") == 8
    assert "<1>" not in page


def test_episodes_with_figures_are_linked_to_them() -> None:
    run = run_of("A", result_of(lost()), result_of(leaking(), name="leak"))
    (first, cup), *others = run.episodes()
    page = page_of([run], [(run, first, cup, "A-01")])
    assert '<figure id="A-01"><h3>A: kitchen, object cup: miss</h3>' in page
    assert page.count("<figure ") == 1
    assert '<a href="#A-01">kitchen, object cup: miss</a>' in page
    assert page.count('href="#') == 1
    head, *rows = tables(page)[3]
    assert head == ["episode", "onset", "worst", "recovery", "lost", "likely cause"]
    assert rows[0] == [
        "A: kitchen, object cup: miss", "00004", "00004", "00008", "3.4", "unknown",
    ]  # fmt: skip
    assert len(rows) == 1 + len(others)
    assert {row[0] for row in rows[1:]} == {
        "A: leak, object cup: leak into a neighbour (plate)",
        "A: leak, object plate: part loss",
    }


def test_an_episode_to_the_end_has_no_recovery_and_every_cause_is_named() -> None:
    drawn = [squares(None if 3 <= frame < 6 else 10) for frame in range(COUNT)]
    unfound = [squares(None if frame >= 3 else 10) for frame in range(COUNT)]
    page = page_of([run_of("A", result_of(unfound, drawn=drawn))])
    (_, row) = tables(page)[3]
    assert row[1:] == ["00006", "00006", "", "4.0", "left and came back"]


def test_no_more_than_fifty_episodes_of_a_run_are_listed() -> None:
    results = [result_of(lost(), name=str(place)) for place in range(52)]
    rows = tables(page_of([run_of("A", *results)]))[3][1:]
    assert len(rows) == 50
