"""What is wrong with a submission against the mapping that it is scored by."""

from typing import Any

import pytest

from app.errors import FormatError
from app.storage.formats.labelled import LabelledVideo
from app.storage.formats.submission import submission_json
from app.storage.formats.visor.records import Record, VisorFile
from app.storage.formats.visor.release.benchmark import Split, benchmark_videos
from app.storage.formats.visor.validation.submission import (
    check_submission,
    mapping_defects,
    submission_defects,
)
from tests.storage.visor_vectors import SPARSE, SUBMISSION, load

TRIANGLE = [[[1, 1], [9, 1], [9, 9]]]


def record(sequence: int, frame: int, *names: str, segments: Any = TRIANGLE) -> Record:  # noqa: ANN401
    image = {
        "name": f"P01_01_frame_{frame:010d}.png", "subsequence": f"P01_01_seq_{sequence:05d}",
        "video": "P01_01",
    }  # fmt: skip
    annotations = [{"name": name, "segments": segments} for name in names]
    return Record({"image": image, "annotations": annotations})


def name_of(sequence: int) -> str:
    return f"P01_01_seq_{sequence:05d}"


def test_names_and_sequences_that_the_mapping_lacks_are_each_told() -> None:
    records = [record(1, 1, "cup"), record(2, 5, "plate", "knife"), record(2, 6, "cup")]
    found = list(mapping_defects(records, {name_of(2): {"plate", "tap"}, name_of(3): {"cup"}}))
    assert [(each.rule, each.text) for each in found] == [
        ("mapping", "P01_01_seq_00001 is not in the mapping"),
        ("mapping", "knife is not an object of P01_01_seq_00002 in the mapping"),
        ("mapping", "cup is not an object of P01_01_seq_00002 in the mapping"),
        ("missing object", "tap of P01_01_seq_00002 is on none of its frames"),
        ("missing subsequence", "P01_01_seq_00003 is missing"),
    ]
    assert [each.harmless for each in found] == [False] * 4 + [True]


def test_frames_that_are_asked_for_have_to_be_there_but_for_the_first() -> None:
    records = [record(1, 2, "cup"), record(2, 5, "cup")]
    mapping = {name_of(n): {"cup"} for n in (1, 2, 3)}
    stems = [f"P01_01_frame_{n:010d}" for n in (1, 2, 3)]
    frames = {name_of(1): stems[::-1], name_of(2): [], name_of(3): stems[:1]}
    found = list(mapping_defects(records, mapping, frames))
    assert [(each.rule, each.frame, each.harmless) for each in found] == [
        ("missing subsequence", "", False), ("missing frame", f"{stems[2]}.png", False),
    ]  # fmt: skip
    assert list(mapping_defects(records, mapping, {name_of(1): stems[:2], name_of(2): []})) == []


def test_the_order_of_the_file_is_that_of_the_names() -> None:
    def wrong(*records: Record) -> list[tuple[str, str]]:
        info = load(SUBMISSION)["info"]
        return [(each.rule, each.frame) for each in submission_defects(info, records)]

    one, two, other = record(1, 1), record(1, 2), record(2, 1)
    assert wrong(one, two, other) == []
    assert wrong(one, one) == []
    assert wrong(two, one, other) == [("order", one.name)]
    assert wrong(other, one) == [("order", one.name)]


@pytest.mark.parametrize(
    ("segments", "has_floats"),
    [
        (TRIANGLE, False), ([[[1, 1], [9, 1], [9, 9.5]]], True), ([[[1.0, 1]]], True),
        ([], False), (None, False), ("1.5", False), ([1.5], False), ([[1.5]], False),
    ],
)  # fmt: skip
def test_coordinates_are_whole_numbers(segments: object, has_floats: bool) -> None:
    info = load(SUBMISSION)["info"]
    found = list(submission_defects(info, [record(1, 1, "cup", segments=segments)]))
    assert [each.rule for each in found] == ["floats"] * has_floats


def test_what_a_submission_says_of_itself_is_as_the_challenge_wants() -> None:
    info = load(SUBMISSION)["info"]
    assert list(submission_defects(info, [])) == []
    wrong = {**info, "Version": "9", "Challenge": "none", "Mine": 1}
    del wrong["Resolution"]
    found = [each.rule for each in submission_defects(wrong, [])]
    assert sorted(found) == ["submission info"] * 3 + ["version"]


@pytest.fixture
def videos() -> list[LabelledVideo]:
    return list(benchmark_videos(VisorFile.read(SPARSE), Split.VAL))[:1]


def test_a_submission_is_written_only_where_the_mapping_knows_its_names(
    videos: list[LabelledVideo],
) -> None:
    content, (video,) = submission_json(videos), videos
    names = {info.name for info in video.objects}
    assert check_submission(content, {video.name: names}) == ()
    (told,) = check_submission(content, {video.name: names | {"tap"}})
    assert told == f"missing object: tap of {video.name} is on none of its frames"
    with pytest.raises(FormatError, match=r"is not written: .* \(\d+ in all\)\. Give the mapping"):
        check_submission(content, {video.name: names - {min(names)}})
