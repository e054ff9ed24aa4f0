"""The embedded weights on the bundled clip: what storing and computing them small costs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from app import paths
from app.storage.formats.palette import read_palette_png
from app.storage.video.opening import open_video
from models.api import BoolMask, Image, LoadOptions, Prompt, Quality, ScalableTracker
from models.cutie import loader
from models.encoders import eight_bit
from models.registry import load_segmenter, load_tracker
from models.runtime.device import encoder_dtype
from models.training.learners.clicking import mending_click
from models.weights.compact import SCALE, widen

SIZE = 192  # short side in pixels
LENGTH = 6
STORED = paths.resources() / "weights" / "lite.safetensors"


def masks_with(
    weights: Path,
    *,
    size: int | None = SIZE,
    length: int = LENGTH,
    quality: Quality = Quality.NORMAL,
    at: Quality | None = None,
) -> NDArray[np.bool_]:
    """Return the masks of the clip's objects, (length - 1, objects, H, W)."""
    video = open_video(paths.sample_folder() / "frames")
    labels = read_palette_png(paths.sample_folder() / "masks" / "000000.png", video.size)
    anchors = {0: {int(number): labels == number for number in np.unique(labels) if number}}
    options = LoadOptions(weights=weights, device="cpu", size=size, quality=quality)
    tracker = load_tracker("lite", video, options)
    if at is not None:
        assert isinstance(tracker, ScalableTracker)
        tracker = tracker.at(at)
    found = dict(tracker.track(anchors, range(length)))
    return np.array(
        [[each.mask for each in found[frame].values()] for frame in range(1, length)], np.bool_
    )


def an_original(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights in full precision that are stored as these, anywhere within the rounding."""
    rng = torch.Generator().manual_seed(0)
    original = widen(stored)
    for name, value in original.items():
        if not value.is_floating_point():
            continue
        error = torch.rand(value.shape, generator=rng) - 0.5
        scale = stored.get(name + SCALE)
        if scale is None:
            original[name] = value * (1 + error * 2**-10)
        else:
            step = scale.float().view(-1, *([1] * (value.ndim - 1)))
            original[name] = (value + error * step).clamp(-127 * step, 127 * step)
    return original


def test_stored_and_original_weights_agree_on_the_masks(tmp_path: Path) -> None:
    save_file(an_original(load_file(STORED)), tmp_path / "original.safetensors")
    stored, original = masks_with(STORED), masks_with(tmp_path / "original.safetensors")
    assert all(mask.any() for mask in stored.reshape(-1, *stored.shape[-2:]))
    assert (stored == original).mean() >= 0.999


@pytest.mark.parametrize("eight_bits", [False, True])
def test_a_quick_encoder_agrees_with_float32(
    monkeypatch: pytest.MonkeyPatch, eight_bits: bool
) -> None:
    if eight_bits and not eight_bit.supported(torch.device("cpu")):
        pytest.skip("this CPU has no instructions for products of bytes")
    if not eight_bits and encoder_dtype(torch.device("cpu")) is not torch.bfloat16:
        pytest.skip("this CPU has no instructions for products of bfloat16")
    found = []
    for quick in (True, False):
        dtype = torch.bfloat16 if quick else torch.float32
        monkeypatch.setattr(loader, "encoder_dtype", lambda device, dtype=dtype: dtype)
        monkeypatch.setattr(
            eight_bit, "is_faster", lambda device, quick=quick: eight_bits and quick
        )
        found.append(masks_with(STORED))
    assert not np.array_equal(found[0], found[1])  # both were used
    assert (found[0] == found[1]).mean() >= 0.999


def test_quick_sees_frames_smaller_and_a_given_size_counts_instead() -> None:
    quick = masks_with(STORED, size=None, length=2, quality=Quality.QUICK)
    assert np.array_equal(quick, masks_with(STORED, size=288, length=2))
    assert np.array_equal(quick, masks_with(STORED, size=288, length=2, quality=Quality.FINE))
    assert not np.array_equal(quick, masks_with(STORED, size=None, length=2))


def test_without_being_loaded_again_it_looks_as_finely_as_one_that_was_loaded_so() -> None:
    fine = masks_with(STORED, size=None, length=2, quality=Quality.FINEST)
    for quality in (Quality.QUICK, Quality.FINEST):
        again = masks_with(STORED, size=None, length=2, quality=quality, at=Quality.FINEST)
        assert np.array_equal(again, fine)
    assert np.array_equal(fine, masks_with(STORED, size=576, length=2))
    assert not np.array_equal(fine, masks_with(STORED, size=None, length=2))


def test_frames_smaller_than_its_size_are_seen_enlarged() -> None:
    own, enlarged, as_they_are = (masks_with(STORED, size=s, length=2) for s in (None, 384, 0))
    assert own.shape[-2:] == as_they_are.shape[-2:] == (360, 640)
    assert np.array_equal(own, enlarged)
    assert not np.array_equal(own, as_they_are)


def test_two_clicks_bring_a_mask_back_from_another_object() -> None:
    video = open_video(paths.sample_folder() / "frames")
    labels = read_palette_png(paths.sample_folder() / "masks" / "000000.png", video.size)
    segmenter = load_segmenter("lite", video, LoadOptions(device="cpu"))
    there, mask, prompt = labels == 2, labels == 1, Prompt()
    for _ in range(2):
        prompt = Prompt((*prompt.clicks, mending_click(there, mask)), mask=mask)
        mask = segmenter.segment(0, prompt)[0].mask
    assert (mask & there).sum() / (mask | there).sum() > 0.9


class ThinFrames:
    """A bar of 13 pixels that moves along a striped frame of one column."""

    size = (200, 1)

    def __len__(self) -> int:
        return LENGTH

    def __getitem__(self, index: int) -> Image:
        image = np.full((*self.size, 3), 90, np.uint8)
        image[::2] = 110
        image[self.mask(index)] = (0, 120, 200)
        return image

    def mask(self, index: int) -> BoolMask:
        mask = np.zeros(self.size, np.bool_)
        mask[20 + 2 * index : 33 + 2 * index] = True
        return mask


@pytest.mark.parametrize("follow", [True, False])
def test_a_thing_of_a_frame_of_one_column_is_followed(*, follow: bool) -> None:
    frames = ThinFrames()
    options = LoadOptions(device="cpu", follow=follow)
    tracker = load_tracker("lite", frames, options)
    for frame, found in tracker.track({0: {1: frames.mask(0)}}, range(LENGTH)):
        there, mask = frames.mask(frame), found[1].mask
        assert (mask & there).sum() / (mask | there).sum() > 0.8, frame
