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
from pathlib import Path
from urllib.parse import urlsplit

from models.api import ModelError

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0 = not known)

_CHUNK = 1 << 20
_TIMEOUT_S = 30
_ATTEMPTS = 4


class DownloadError(ModelError):
    """A file could not be fetched; the message says why and what to do."""


class _BrokenOff(Exception):
    """The connection ended before the file did."""


def download(url: str, target: Path, *, digest: str, progress: Progress | None = None) -> None:
    """Fetch `url` to `target`, which appears only when whole and equal to `digest`.

    What has arrived is kept beside it as `NAME.part` and the next call goes on from there, also
    after an interrupt. Proxies are taken from the environment. Raises DownloadError.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch_whole(url, part, progress or _silent)
        install(part, target, digest=digest)
    except (OSError, http.client.HTTPException) as error:
        raise _explained(error, url, target) from error


def install(part: Path, target: Path, *, digest: str) -> None:
    """Move `part` to `target` if it equals `digest`, else remove it and raise DownloadError."""
    if not matches(part, digest):
        part.unlink()
        raise DownloadError(
            f"What arrived is not the published {target.name} (its checksum differs); it was "
            f"removed. Try again; if it happens again, the server or a proxy sends another file."
        )
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(target)


def matches(path: Path, digest: str) -> bool:
    """Return whether the file's checksum is `digest`, given as `sha256:HEX` or `md5:HEX`."""
    algorithm, _, wanted = digest.partition(":")
    with path.open("rb") as stream:
        # md5 finds a broken transfer; usedforsecurity=False keeps it usable on FIPS machines.
        actual = hashlib.file_digest(
            stream, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
    return actual == wanted


def _fetch_whole(url: str, part: Path, progress: Progress) -> None:
    """Fetch until the server has no more, going on where a connection broke off."""
    before = -1
    for _ in range(_ATTEMPTS):
        arrived = part.stat().st_size if part.exists() else 0
        if arrived == before:
            break
        before = arrived
        try:
            _fetch_rest(url, part, arrived, progress)
        except _BrokenOff as error:
            log.info("%s broke off: %s", part.name, error)
        else:
            return
    raise DownloadError(
        f"The connection to {urlsplit(url).hostname} broke off after {megabytes(before)}. "
        f"The same command again goes on from there."
    )


def _fetch_rest(url: str, part: Path, arrived: int, progress: Progress) -> None:
    headers = {"User-Agent": "maskwright", "Accept-Encoding": "identity"}
    if arrived:
        headers["Range"] = f"bytes={arrived}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        # An opener of its own reads the proxies now; urlopen's shared one read them at first use.
        with urllib.request.build_opener().open(request, timeout=_TIMEOUT_S) as response:
            # A server that knows no ranges answers 200 with the whole file.
            start = arrived if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
            length = int(response.headers.get("Content-Length") or 0)
            _need_space(part.parent, length)
            _copy(response, part, start, start + length if length else 0, progress)
    except urllib.error.HTTPError as error:
        error.close()
        # All of it is here already, or the file on the server is shorter than what is here:
        # the checksum tells.
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise


def _copy(
    response: http.client.HTTPResponse, part: Path, start: int, total: int, progress: Progress
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
    if done < total:
        raise _BrokenOff(f"{done} of {total} bytes")


def _next_chunk(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK)
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
