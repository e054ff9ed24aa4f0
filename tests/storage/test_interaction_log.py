"""The log of interactions as a file: what is written comes back, and what is none is refused."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.effort import Answer, Interaction
from app.core.mask import Mask
from app.errors import FormatError
from app.storage.interactions import (
    FORMAT,
    End,
    Head,
    digest,
    end_line,
    end_of,
    head_line,
    line_of,
    read_log,
)
from app.storage.settings import Settings
from models.api import Click
from tests.fakes import SIZE, square

CUP = ObjectInfo(3, "cup", (1, 2, 3), class_id=13, visible=False)
DRAWN = Entry(Mask.encode(square(10)), Origin.DRAWN)
CLICKED = Entry(
    Mask.encode(square(20)), Origin.CLICKED, clicks=(Click(2, 3, positive=False),), score=0.5
)
ANSWERS = st.lists(
    st.builds(Answer, st.sampled_from(["masks", "step", "end"]), st.integers(1, 3)), max_size=9
).map(tuple)
MADE = st.lists(
    st.builds(
        Interaction,
        st.sampled_from(["view.go_to", "clicks.click"]),
        st.integers(0, 9),
        st.none() | st.integers(1, 3),
        st.integers(0, 5000).map(lambda n: n / 1000),
        st.integers(0, 3),
        st.dictionaries(st.sampled_from("ab"), st.integers() | st.text() | st.none()),
        ANSWERS,
        ANSWERS,
    ),
    max_size=4,
)


def document(entries: dict[Key, Entry]) -> Document:
    return Document((CUP,), entries, next_id=9)


def head(settings: Settings | None = None) -> Head:
    there = document({Key(4, 3): CLICKED, Key(2, 3): Entry(None, Origin.DRAWN)})
    seen = {3: {4: (0, 2, 30, 40)}}
    return Head(Path("/videos/a.mp4"), 30, SIZE, settings or Settings(), there, seen)


def written(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "log.jsonl"


@given(MADE, ANSWERS, st.booleans())
def test_a_log_comes_back(
    path: Path,
    made: list[Interaction],
    after: tuple[Answer, ...],
    ended: bool,
) -> None:
    end = end_of(document({Key(1, 3): DRAWN}), after) if ended else None
    lines = [head_line(head()), *map(line_of, made), *([end_line(end)] if end else [])]
    log = read_log(written(path, lines))
    assert log.interactions == tuple(made)
    assert log.end == end
    assert (log.head.video, log.head.frames, log.head.size) == (Path("/videos/a.mp4"), 30, SIZE)
    assert log.head.seen == head().seen
    there = head().document
    assert dict(log.head.document.items()) == dict(there.items())
    assert (log.head.document.objects, log.head.document.next_id) == ((CUP,), 9)


def test_an_end_tells_how_many_masks_there_are_and_which() -> None:
    there = document({Key(1, 3): DRAWN, Key(2, 3): CLICKED})
    assert end_of(there) == End(2, digest(there), ())


def test_seconds_are_told_to_the_millisecond(path: Path) -> None:
    made = Interaction("view.go_to", 0, None, 1.23456)
    log = read_log(written(path, [head_line(head()), line_of(made)]))
    assert log.interactions == (replace(made, seconds=1.235),)


def test_many_equal_answers_take_no_more_room_than_a_few() -> None:
    few, many = (Interaction("jobs.cancel", 0, 1, 0.0, after=(Answer("step", 1),) * n)
                 for n in (10, 99))  # fmt: skip
    assert len(line_of(few)) == len(line_of(many))


def test_chosen_settings_come_back_and_what_no_version_or_range_knows_is_left_out(
    path: Path,
) -> None:
    chosen = replace(Settings(), overlay_opacity=0.25, overlap=True)
    assert read_log(written(path, [head_line(head(chosen))])).head.settings == chosen
    line = msgspec.json.decode(head_line(head(chosen)))
    line["settings"] |= {"of another version": 3, "overlay_opacity": "much"}
    log = read_log(written(path, [msgspec.json.encode(line)]))
    assert log.head.settings == replace(chosen, overlay_opacity=Settings().overlay_opacity)


CHANGES: dict[str, dict[Key, Entry]] = {
    "another frame": {Key(2, 3): DRAWN},
    "another object": {Key(1, 4): DRAWN},
    "another mask": {Key(1, 3): replace(DRAWN, mask=Mask.encode(square(11)))},
    "the mask elsewhere": {Key(1, 3): replace(DRAWN, mask=Mask.encode(square(10, 21)))},
    "no mask": {Key(1, 3): replace(DRAWN, mask=None)},
    "no anchor": {Key(1, 3): replace(DRAWN, origin=Origin.PROPAGATED)},
    "one more": {Key(1, 3): DRAWN, Key(2, 3): replace(DRAWN, mask=None)},
    "none": {},
}


def test_a_digest_tells_masks_their_places_and_anchors_apart() -> None:
    found = {name: digest(document(entries)) for name, entries in CHANGES.items()}
    found["as it was"] = digest(document({Key(1, 3): DRAWN}))
    assert len(set(found.values())) == len(found)


def test_a_digest_is_the_same_in_any_order_and_of_any_score() -> None:
    entries = {Key(1, 3): DRAWN, Key(0, 3): CLICKED, Key(1, 2): CLICKED}
    turned = {key: replace(entries[key], score=0.1) for key in reversed(entries)}
    assert digest(document(entries)) == digest(document(turned))


NO_LOGS = {
    "empty": b"",
    "text": b"a log\n",
    "another version": head_line(head()).replace(FORMAT.encode(), b"maskwright interactions 0"),
    "a damaged line": head_line(head()) + b"\n{}\n",
    "an end in the middle": head_line(head()) + b"\n" + end_line(End(1, "a")) + b"\n"
    + line_of(Interaction("view.go_to", 0, None, 0.5)),
}  # fmt: skip


@pytest.mark.parametrize("content", NO_LOGS.values(), ids=NO_LOGS)
def test_what_is_no_log_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FormatError, match=f"{path.name} is no log of interactions"):
        read_log(path)
