"""Random files, one edit in the window's own way: that thing and nothing else is exported.

`MASKWRIGHT_VISOR_DOCUMENTS=1000` tries so many; the suite tries some dozen.
"""

import copy
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON
from app.core.document import Key
from app.session.session import Session
from app.session.visor.attributes import EXHAUSTIVE_VALUES, WORN_VALUES
from app.storage.formats.visor.annotations.contacts import GLOVE_ANSWERS, HAND_ANSWERS
from tests.fakes import FakeModels
from tests.session.visor.files import (
    Json,
    annotation,
    box,
    document,
    exported,
    number_of,
    record,
    write,
)

COUNT = int(os.environ.get("MASKWRIGHT_VISOR_DOCUMENTS", "40"))
THINGS = {"plate": 2, "cup": 13, "tap": 0, "knife": 4, "Scissors": 28}
HANDS = {"left hand": 300, "right hand": 301}
GLOVES = {"left glove": 303, "right glove": 304, "glove": 60}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return iter(tmp_path_factory.mktemp(f"f{n}") for n in range(10 * COUNT))


@pytest.fixture(scope="module")
def session(qapp: object) -> Iterator[Session]:
    session = Session(loader=lambda frames, settings: FakeModels(frames))
    yield session
    session.files.close()
    shiboken6.delete(session)


@st.composite
def files(draw: st.DrawFn) -> Json:
    """Return a file of two to four frames in up to two subsequences."""
    counter = 0
    records = []
    for index in range(draw(st.integers(2, 4))):
        names = draw(
            st.lists(
                st.sampled_from([*THINGS, *HANDS, *GLOVES]), unique=True, min_size=1, max_size=6
            )
        )
        ids = {name: counter + place + 1 for place, name in enumerate(names)}
        counter += len(names)
        found = []
        for name in names:
            others = [f"{ids[other]:032x}" for other in names if other != name]
            more: Json = {}
            if name in HANDS:
                more[CONTACT] = draw(st.sampled_from([*sorted(HAND_ANSWERS), *others]))
            if name in GLOVES:
                worn = draw(st.sampled_from(WORN_VALUES))
                more[WORN_ON] = list(worn) if isinstance(worn, tuple) else worn
                more[CONTACT] = draw(st.sampled_from([*sorted(GLOVE_ANSWERS), *others, None]))
            place = (draw(st.integers(0, 50)), draw(st.integers(0, 35)))
            segments = [box(*place, draw(st.integers(1, 12)))]
            if draw(st.booleans()) and draw(st.booleans()):
                segments.append([])
            exhaustive = draw(st.sampled_from(EXHAUSTIVE_VALUES))
            class_id = {**THINGS, **HANDS, **GLOVES}[name]
            made = annotation(ids[name], name, class_id, segments, **more)
            found.append({**made, "exhaustive": exhaustive})
        sequence = 1 + (index > 1 and draw(st.booleans()))
        records.append(record(101 + index, found, sequence))
    return document(records)


def change(data: st.DataObject, session: Session, raw: Json) -> Json:
    """Edit one thing through the session; return what the file is to be then."""
    wanted = copy.deepcopy(raw)
    frame = data.draw(st.integers(0, len(raw["video_annotations"]) - 1))
    here = wanted["video_annotations"][frame]["annotations"]
    place = data.draw(st.integers(0, len(here) - 1))
    own, attributes = here[place], session.files.exchange.visor.attributes
    number = number_of(session, own["name"])
    session.view.go_to(frame)
    session.view.select(number)
    kinds = ["exhaustive", "order", "delete"]
    kinds += ["contact"] * 3 if own["name"] in {**HANDS, **GLOVES} else []
    kinds += ["worn"] * 2 if own["name"] in GLOVES else []
    match data.draw(st.sampled_from(kinds)):
        case "exhaustive":
            own[EXHAUSTIVE] = data.draw(st.sampled_from(EXHAUSTIVE_VALUES))
            attributes.say(EXHAUSTIVE, own[EXHAUSTIVE])
        case "worn":
            worn = data.draw(st.sampled_from(WORN_VALUES))
            own[WORN_ON] = list(worn) if isinstance(worn, tuple) else worn
            attributes.say(WORN_ON, worn)
        case "contact":
            row = attributes.selected_row()
            assert row is not None
            answer = data.draw(st.sampled_from(attributes.answers(row)))
            ids = {number_of(session, each["name"]): each["id"] for each in here}
            own[CONTACT] = ids[answer] if isinstance(answer, int) else answer
            attributes.say(CONTACT, answer)
        case "order":
            steps = data.draw(st.sampled_from([1, -1, None]))
            attributes.lift(steps)
            target = len(here) - 1 if steps is None else place + steps
            here.insert(max(0, min(target, len(here) - 1)), here.pop(place))
        case "delete":
            session.edit.clear([Key(frame, number)])
            here.pop(place)
            for each in here:
                if each.get(CONTACT) == own["id"]:
                    each[CONTACT] = "none-of-the-above"
    return wanted


@given(data=st.data(), raw=files())
@settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_one_edit_changes_one_thing(
    session: Session, folders: Iterator[Path], qtbot: QtBot, data: st.DataObject, raw: Json
) -> None:
    session.files.open(write(next(folders), raw))
    assert exported(session) == raw
    wanted = change(data, session, raw)
    assert exported(session) == wanted
    while session.history.stack.canUndo():
        session.history.undo()
    assert exported(session) == raw
