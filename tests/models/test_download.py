"""Downloads that go wrong: nothing wrong is ever put where weights are looked for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.weights.download import (
    DownloadError,
    DownloadStoppedError,
    discard,
    download,
    part_of,
)
from tests.waiting import PATIENCE
from tests.weights_server import CONTENT, DIGEST, Server, serving

HALF = len(CONTENT) // 2


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(knows_versions=True)) as state:
        yield state


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights" / "weights.pt"


def fetch_half(server: Server, target: Path) -> None:
    """Fetch until half of the file is here, and stop."""
    seen = [0]
    with pytest.raises(DownloadStoppedError, match="kept"):
        download(
            server.url,
            target,
            digest=DIGEST,
            progress=lambda done, _: seen.append(done),
            wanted=lambda: seen[-1] < HALF,
        )
    assert not target.exists()
    assert HALF <= part_of(target).stat().st_size < len(CONTENT)


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_download_that_was_stopped_goes_on_where_it_was(server: Server, target: Path) -> None:
    server.piece_s = 0.001
    fetch_half(server, target)
    kept = part_of(target).stat().st_size
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]
    assert leftovers(target) == ["weights.pt"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    server: Server, target: Path
) -> None:
    server.piece_s, server.content = 0.001, bytes(len(CONTENT))
    fetch_half(server, target)
    server.piece_s, server.content = 0.0, CONTENT
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_file_that_changes_under_a_broken_connection_is_not_pieced_together(
    server: Server, target: Path
) -> None:
    server.cut_after = HALF
    seen: list[int] = []

    def change(done: int, _: int) -> None:
        seen.append(done)
        if done == HALF:
            server.content, server.cut_after = CONTENT[::-1], 0

    with pytest.raises(DownloadError, match="checksum"):
        download(server.url, target, digest=DIGEST, progress=change)
    assert seen.count(0) == 2  # it began anew
    assert leftovers(target) == []


def test_a_part_of_another_address_is_not_gone_on_with(server: Server, target: Path) -> None:
    server.piece_s, server.content = 0.001, bytes(len(CONTENT))
    fetch_half(server, target)
    server.piece_s, server.content = 0.0, CONTENT
    download(f"{server.url}?other", target, digest=DIGEST)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_a_server_without_ranges_is_asked_from_the_beginning(server: Server, target: Path) -> None:
    server.piece_s = 0.001
    fetch_half(server, target)
    server.knows_ranges, server.piece_s = False, 0.0
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_wrong_file_is_removed_also_when_it_was_resumed(server: Server, target: Path) -> None:
    server.piece_s, server.content = 0.001, bytes(len(CONTENT))
    fetch_half(server, target)
    server.piece_s = 0.0
    with pytest.raises(DownloadError, match="checksum"):
        download(server.url, target, digest=DIGEST)
    assert leftovers(target) == []


def test_a_redirect_on_the_same_host_is_followed(server: Server, target: Path) -> None:
    server.moved_to = "/elsewhere.pt"
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_redirect_to_another_host_without_https_is_refused(server: Server, target: Path) -> None:
    with serving() as other:
        server.moved_to = other.url.replace("127.0.0.1", "localhost")
        with pytest.raises(DownloadError, match="not safe"):
            download(server.url, target, digest=DIGEST)
        assert other.asked == []
    assert leftovers(target) == []


def test_a_resumed_redirect_keeps_its_range(server: Server, target: Path) -> None:
    server.moved_to, server.piece_s = "/elsewhere.pt", 0.001
    fetch_half(server, target)
    kept = part_of(target).stat().st_size
    download(server.url, target, digest=DIGEST)
    assert server.asked[-1] == f"bytes={kept}-"
    assert target.read_bytes() == CONTENT


def test_a_download_that_is_given_up_leaves_nothing(server: Server, target: Path) -> None:
    server.piece_s = 0.001
    fetch_half(server, target)
    discard(target)
    assert leftovers(target) == []


def test_a_killed_process_leaves_a_part_that_the_next_one_goes_on_with(
    server: Server, target: Path
) -> None:
    server.piece_s = 0.02
    code = (
        "import sys; from pathlib import Path; from models.weights.download import download;"
        "download(sys.argv[1], Path(sys.argv[2]), digest=sys.argv[3])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, server.url, str(target), DIGEST])
    until = time.monotonic() + PATIENCE
    while not (part_of(target).exists() and part_of(target).stat().st_size > 100_000):
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    assert not target.exists()
    kept = part_of(target).stat().st_size
    assert 0 < kept < len(CONTENT)
    server.piece_s = 0.0
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]
