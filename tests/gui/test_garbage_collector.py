"""Cyclic garbage is collected on the window's thread."""

import gc
import threading

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer

from app.gui.window.process.garbage_collector import IdleGarbageCollector
from tests.gui.conftest import Desk


def _drop_a_cycle(died_on: list[threading.Thread]) -> None:
    """Leave a timer behind that only a cycle keeps alive."""
    timer = QTimer()
    timer.myself = timer  # type: ignore[attr-defined]
    direct = Qt.ConnectionType.DirectConnection
    timer.destroyed.connect(lambda: died_on.append(threading.current_thread()), direct)


def test_other_threads_leave_the_garbage_to_the_window(desk: Desk) -> None:
    died_on: list[threading.Thread] = []
    gc.freeze()  # however much the window has just made: it counts from here
    _drop_a_cycle(died_on)

    # Far more containers than Python's own collector lets pass.
    worker = threading.Thread(target=lambda: [[[]] for _ in range(200_000)])
    worker.start()
    worker.join()

    assert died_on == []
    newer = [[] for _ in range(2 * gc.get_threshold()[0])]  # type: ignore[var-annotated]
    desk.qtbot.waitUntil(lambda: bool(died_on))
    assert died_on == [threading.main_thread()]
    assert newer


def test_a_burst_of_new_objects_is_set_aside_unseen(desk: Desk) -> None:
    held_before = gc.get_freeze_count()
    burst = [[] for _ in range(100_000)]  # type: ignore[var-annotated]
    desk.qtbot.waitUntil(lambda: gc.get_freeze_count() > held_before + len(burst) // 2)


def test_python_collects_again_afterwards(desk: Desk) -> None:
    parent = QObject()
    IdleGarbageCollector(desk.session.video, parent)
    assert not gc.isenabled()
    shiboken6.delete(parent)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
