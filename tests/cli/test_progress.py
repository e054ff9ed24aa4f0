"""Progress is for people at a terminal."""

import io

from app.cli.progress import Progress, clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_count_speed_and_time_left() -> None:
    stream = Terminal()
    with Progress("Propagating", 2, stream=stream) as progress:
        progress.step()
        progress.step()
    last = stream.getvalue().rstrip().rpartition("\r")[2]
    assert last.startswith("Propagating: 2/2 frames, ")
    assert "frames/s, 0:00 left" in last


def test_anything_else_sees_nothing() -> None:
    stream = io.StringIO()
    with Progress("Propagating", 1, stream=stream) as progress:
        progress.step()
    assert stream.getvalue() == ""


def test_time_reads_as_a_clock() -> None:
    assert [clock(65), clock(3605), clock(0.4)] == ["1:05", "1:00:05", "0:00"]
