"""A web server on this machine that offers one weights file, and misbehaves as a test says."""

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CONTENT = bytes(range(256)) * 4096
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
_PIECE = 16_384


@dataclass
class Server:
    """What the server offers and how; each field may be changed while it runs."""

    content: bytes = CONTENT
    knows_ranges: bool = True
    knows_versions: bool = False  # sends an ETag, and heeds If-Range
    cut_after: int = 0  # bytes of each answer, 0 = all of it
    status: int = 200
    piece_s: float = 0.0  # seconds before each piece of 16 KiB
    moved_to: str = ""  # where the address sends on to
    asked: list[str | None] = field(default_factory=list)  # the Range of each request
    url: str = ""

    @property
    def version(self) -> str:
        """The ETag of the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


@contextmanager
def serving(given: Server | None = None) -> Iterator[Server]:
    """Run a server until the end of the block."""
    state = given or Server()
    handler = type("Handler", (_Handler,), {"server_state": state})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.daemon_threads = True
        state.url = f"http://127.0.0.1:{httpd.server_address[1]}/weights.pt"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        state.piece_s = 0.0
        httpd.shutdown()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    server_state: Server

    def do_GET(self) -> None:
        state, asked = self.server_state, self.headers["Range"]
        state.asked.append(asked)
        if state.moved_to and self.path == "/weights.pt":
            self.send_response(302)
            self.send_header("Location", state.moved_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif state.status != 200:
            self.send_error(state.status)
        else:
            self._send(self._start(asked))

    def _start(self, asked: str | None) -> int:
        state, condition = self.server_state, self.headers["If-Range"]
        if not asked or not state.knows_ranges:
            return 0
        if state.knows_versions and condition and condition != state.version:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _send(self, start: int) -> None:
        state = self.server_state
        content = state.content
        if start >= len(content):
            self.send_error(416)
            return
        rest = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if state.knows_versions:
            self.send_header("ETag", state.version)
        self.end_headers()
        rest = rest[: state.cut_after] if state.cut_after else rest
        try:
            if not state.piece_s:
                self.wfile.write(rest)
                return
            for at in range(0, len(rest), _PIECE):
                self.wfile.write(rest[at : at + _PIECE])
                self.wfile.flush()
                time.sleep(state.piece_s)
        except ConnectionError:
            pass  # whoever asked has gone

    def log_message(self, *_: object) -> None:
        """Stay quiet."""
