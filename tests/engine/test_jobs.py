"""The inbox: one waiting job for each priority, the newest wins."""

import queue
import threading

from app.core.document import Key
from app.engine.jobs import Inbox, Job, Prepare, Segment, Track
from tests.waiting import PATIENCE


def click(number: int, *, hover: bool = False) -> Segment:
    return Segment(number, Key(0, 1), hover=hover)


def test_a_new_job_replaces_the_one_that_waits() -> None:
    inbox = Inbox()
    inbox.put(click(7))
    inbox.put(click(8))
    taken = inbox.take()
    assert taken is not None
    assert taken.id == 8
    assert inbox.take_quick() is None


def test_clicks_on_other_objects_and_frames_wait_in_their_turn() -> None:
    inbox = Inbox()
    for number, key in ((1, Key(0, 1)), (2, Key(0, 2)), (3, Key(4, 1)), (4, Key(0, 2))):
        inbox.put(Segment(number, key))
    taken = [inbox.take_quick() for _ in range(4)]
    assert [job.id if job else None for job in taken] == [1, 4, 3, None]


def test_jobs_are_taken_in_the_order_of_their_priorities() -> None:
    inbox = Inbox()
    jobs: list[Job] = [Track(1, ()), click(2), Prepare(3, (0,))]
    for job in jobs:
        inbox.put(job)
    assert [job.id for job in (inbox.take(), inbox.take(), inbox.take()) if job] == [2, 1, 3]


def test_between_two_frames_only_clicks_and_hovers_are_done() -> None:
    inbox = Inbox()
    for job in (Track(1, ()), Prepare(2, (0,)), click(3)):
        inbox.put(job)
    taken = [inbox.take_quick() for _ in range(2)]
    assert [job.id if job else None for job in taken] == [3, None]


def test_a_new_long_job_cancels_the_one_that_runs() -> None:
    inbox = Inbox()
    inbox.put(Track(1, ()))
    running = inbox.take()
    assert running is not None
    assert not inbox.is_cancelled(running)
    inbox.put(click(2))
    assert not inbox.is_cancelled(running)
    inbox.put(Track(3, ()))
    assert inbox.is_cancelled(running)


def test_cancelling_drops_the_waiting_long_job_but_no_click() -> None:
    inbox = Inbox()
    inbox.put(Track(1, ()))
    inbox.put(click(2))
    inbox.cancel()
    taken = inbox.take()
    assert taken is not None
    assert taken.id == 2
    assert inbox.take_quick() is None


def test_a_click_takes_the_place_of_a_hover() -> None:
    inbox = Inbox()
    inbox.put(click(1, hover=True))
    inbox.put(click(2))
    assert inbox.take() is not None
    assert inbox.take_quick() is None


def test_what_is_computed_ahead_gives_way_to_any_real_job() -> None:
    inbox = Inbox()
    inbox.put(Prepare(1, (0, 1)))
    running = inbox.take()
    assert running is not None
    assert not inbox.is_cancelled(running)
    inbox.put(click(2))
    assert inbox.is_cancelled(running)


def test_what_was_to_be_computed_ahead_is_dropped_with_any_real_job() -> None:
    for job in (click(2), click(2, hover=True), Track(2, ())):
        inbox = Inbox()
        inbox.put(Prepare(1, (0, 1)))
        inbox.put(job)
        assert inbox.take() is job
        assert inbox.needs(9)  # nothing waits that begins elsewhere
        inbox.put(Prepare(3, (5,)))
        assert not inbox.needs(9)


def test_a_closed_inbox_gives_out_nothing_that_was_left_in_it() -> None:
    inbox = Inbox()
    inbox.put(Track(1, ()))
    running = inbox.take()
    assert running is not None
    inbox.put(click(2))
    inbox.close()
    assert inbox.take() is None
    assert inbox.take_quick() is None
    assert inbox.is_cancelled(running)
    assert not inbox.needs(0)


def test_a_frame_is_prepared_to_the_end_where_what_waits_begins_with_it() -> None:
    inbox = Inbox()
    inbox.put(Prepare(1, (0, 1)))
    inbox.take()
    assert inbox.needs(0)
    inbox.put(click(2))
    clicked = click(2).key.frame
    assert inbox.needs(clicked)
    assert not inbox.needs(clicked + 1)
    inbox.take()
    inbox.put(Prepare(3, (7, 0)))
    assert inbox.needs(7)
    assert not inbox.needs(0)
    inbox.close()
    assert not inbox.needs(7)


def test_a_waiting_thread_takes_what_is_put_and_leaves_when_closed() -> None:
    inbox, taken = Inbox(), queue.SimpleQueue[Job | None]()

    def work() -> None:
        taken.put(inbox.take())
        taken.put(inbox.take())

    thread = threading.Thread(target=work)
    thread.start()
    job = click(1)
    inbox.put(job)
    assert taken.get(timeout=PATIENCE) is job
    inbox.close()
    assert taken.get(timeout=PATIENCE) is None
    thread.join(timeout=PATIENCE)
