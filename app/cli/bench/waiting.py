"""The wait of a benchmark: the event loop runs until something holds."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEventLoop, Qt, QTimer


def spin_until(holds: Callable[[], bool], *, seconds: float = 60, every_ms: int = 1) -> float:
    """Let the event loop run until something holds; return how many seconds it took.

    It is looked every `every_ms`, which takes turns from the models. Raises TimeoutError.
    """
    begun = time.perf_counter()
    loop = QEventLoop()
    watch = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=every_ms)
    watch.timeout.connect(lambda: loop.quit() if holds() else None)
    watch.start()
    QTimer.singleShot(round(seconds * 1000), loop, loop.quit)
    if not holds():
        loop.exec()
    watch.stop()
    if not holds():
        raise TimeoutError(f"It did not come about within {seconds} s.")
    return time.perf_counter() - begun
