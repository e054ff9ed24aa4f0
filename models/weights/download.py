"""The download of a file: resumed where it broke off, checked, in place only when whole."""

import errno
import hashlib
import http.client
import logging
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from models.api import ModelError

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0 = not known)
Wanted = Callable[[], bool]  # whether a download is to go on

_CHUNK = 1 << 20
_TIMEOUT_S = 30
_ATTEMPTS = 4


class DownloadError(ModelError):
    """A file could not be fetched; the message says why and what to do."""


class DownloadStoppedError(ModelError):
    """Nobody wants the file any more; what has arrived of it is kept."""


class _BrokenOff(Exception):
    """The connection ended before the file did."""


class _Source(NamedTuple):
    """Where a part came from; `validator` names the file's version on the server, or is empty."""

    url: str
    validator: str


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Goes where it is sent, but over HTTPS, or on the same host as before without loss."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        stays = after.hostname == before.hostname and before.scheme == "http"
        if after.scheme != "https" and not stays:
            raise DownloadError(
                f"{before.hostname} sends on to {newurl}, which is not safe (no HTTPS): it was not "
                f"followed. Fetch the file with a browser."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def part_of(target: Path) -> Path:
    """Return where what has arrived of a file is kept."""
    return target.with_name(f"{target.name}.part")


def discard(target: Path) -> None:
    """Remove what has arrived of a file."""
    for path in (part_of(target), _source_file(part_of(target))):
        path.unlink(missing_ok=True)


def download(
    url: str,
    target: Path,
    *,
    digest: str,
    progress: Progress | None = None,
    wanted: Wanted | None = None,
) -> None:
    """Fetch `url` to `target`, which appears only when whole and equal to `digest`.

    What has arrived is kept beside it as `NAME.part` and the next call goes on from there, also
    after an interrupt, if the server has the same file still. Proxies are taken from the
    environment. Raises DownloadError, or DownloadStoppedError once `wanted` says no.
    """
    part = part_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch_whole(url, part, progress or _silent, wanted or _always)
        install(part, target, digest=digest)
    except (OSError, http.client.HTTPException) as error:
        raise _explained(error, url, target) from error


def install(part: Path, target: Path, *, digest: str) -> None:
    """Move `part` to `target` if it equals `digest`, else remove it and raise DownloadError."""
    if not matches(part, digest):
        part.unlink()
        _source_file(part).unlink(missing_ok=True)
        raise DownloadError(
            f"What arrived is not the published {target.name} (its checksum differs); it was "
            f"removed. Try again; if it happens again, the server or a proxy sends another file."
        )
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(target)
    _source_file(part).unlink(missing_ok=True)


def matches(path: Path, digest: str) -> bool:
    """Return whether the file's checksum is `digest`, given as `sha256:HEX` or `md5:HEX`."""
    algorithm, _, wanted = digest.partition(":")
    with path.open("rb") as stream:
        # md5 finds a broken transfer; usedforsecurity=False keeps it usable on FIPS machines.
        actual = hashlib.file_digest(
            stream, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
    return actual == wanted


def _fetch_whole(url: str, part: Path, progress: Progress, wanted: Wanted) -> None:
    """Fetch until the server has no more, going on where a connection broke off."""
    before = -1
    for _ in range(_ATTEMPTS):
        arrived = part.stat().st_size if part.exists() else 0
        if arrived == before:
            break
        before = arrived
        try:
            _fetch_rest(url, part, progress, wanted)
        except _BrokenOff as error:
            log.info("%s broke off: %s", part.name, error)
        else:
            return
    raise DownloadError(
        f"The connection to {urlsplit(url).hostname} broke off after {megabytes(before)}. "
        f"The same command again goes on from there."
    )


def _fetch_rest(url: str, part: Path, progress: Progress, wanted: Wanted) -> None:
    arrived, validator = _kept(url, part)
    headers = {"User-Agent": "maskwright", "Accept-Encoding": "identity"}
    if arrived:
        headers["Range"] = f"bytes={arrived}-"
        if validator:
            # A server whose file is another by now answers 200 with the whole of it.
            headers["If-Range"] = validator
    request = urllib.request.Request(url, headers=headers)
    # An opener of its own reads the proxies now; urlopen's shared one read them at first use.
    opener = urllib.request.build_opener(_Redirects)
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as response:
            # A server that knows no ranges answers 200 with the whole file.
            start = arrived if response.status == HTTPStatus.PARTIAL_CONTENT else 0
            if start and not _goes_on(response, start):
                part.unlink()
                raise _BrokenOff(f"not from byte {start} on")
            length = _length(response)
            _need_space(part.parent, length)
            if not start:
                _note_source(part, _Source(url, _validator(response)))
            total = start + length if length else 0
            _copy(response, part, start, total, progress, wanted)
    except urllib.error.HTTPError as error:
        error.close()
        # All of it is here already, or the file on the server is shorter than what is here:
        # the checksum tells.
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise


def _kept(url: str, part: Path) -> tuple[int, str]:
    """Return how many bytes of `url` have arrived, and of which version they are."""
    arrived = part.stat().st_size if part.exists() else 0
    try:
        source = _Source(*_source_file(part).read_text(encoding="utf-8").splitlines())
    except (OSError, TypeError, UnicodeDecodeError):
        return arrived, ""  # not noted: the checksum tells in the end
    return (arrived, source.validator) if source.url == url else (0, "")


def _note_source(part: Path, source: _Source) -> None:
    part.unlink(missing_ok=True)  # before the note: bytes are never said to be of another version
    _source_file(part).write_text("\n".join([*source, ""]), encoding="utf-8")


def _source_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.source")


def _validator(response: http.client.HTTPResponse) -> str:
    """Return what tells the version of the file: a strong ETag, else its date."""
    tag = response.headers.get("ETag") or ""
    if tag.startswith('"'):
        return tag
    return response.headers.get("Last-Modified") or ""


def _goes_on(response: http.client.HTTPResponse, start: int) -> bool:
    """Whether a part of the file begins where it was asked to."""
    said = response.headers.get("Content-Range")
    return said is None or said.strip().startswith(f"bytes {start}-")


def _length(response: http.client.HTTPResponse) -> int:
    """Return how many bytes are to come, 0 = not said."""
    said = (response.headers.get("Content-Length") or "").strip()
    return int(said) if said.isdecimal() else 0


def _copy(
    response: http.client.HTTPResponse,
    part: Path,
    start: int,
    total: int,
    progress: Progress,
    wanted: Wanted,
) -> None:
    done = start
    with part.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        stream.truncate()
        progress(done, total)
        while chunk := _next_chunk(response):
            stream.write(chunk)
            done += len(chunk)
            progress(done, total)
            if not wanted():
                raise DownloadStoppedError(f"Stopped after {megabytes(done)}, which are kept.")
    if done < total:
        raise _BrokenOff(f"{done} of {total} bytes")


def _next_chunk(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_CHUNK)  # what is there: a slow server can be left soon
    except (TimeoutError, ConnectionError, http.client.IncompleteRead) as error:
        raise _BrokenOff(str(error)) from error


def _need_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{megabytes(needed)} needed, {megabytes(free)} free")


def _explained(error: Exception, url: str, target: Path) -> DownloadError:
    host = urlsplit(url).hostname
    by_hand = f"Or fetch {url} elsewhere and put it at {target}."
    if isinstance(error, urllib.error.HTTPError):
        return DownloadError(
            f"{host} answers {error.code} ({error.reason}) for {target.name}. {by_hand}"
        )
    if isinstance(
        error, urllib.error.URLError | TimeoutError | ConnectionError | http.client.HTTPException
    ):
        reason = getattr(error, "reason", error)
        return DownloadError(
            f"{host} cannot be reached ({reason}). Connect to the network and try again. {by_hand}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DownloadError(
            f"The disk of {target.parent} is full ({error.strerror}). Free some space; the same "
            f"command again goes on where it stopped."
        )
    return DownloadError(f"{target.name} could not be fetched to {target.parent}: {error}")


def megabytes(size: int) -> str:
    """Return a number of bytes as people read it: `40.7 MB`, `1.34 GB`."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _silent(done: int, total: int) -> None:
    """Report nothing."""


def _always() -> bool:
    return True
