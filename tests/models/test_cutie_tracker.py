"""The tracker: its contract, its equality with the published one, fusion, weights, explanation."""

import itertools
import pickle
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from models.api import (
    Click,
    Explainer,
    Frames,
    Image,
    LoadOptions,
    Prompt,
    PromptError,
    SelectiveTracker,
    Tracker,
    WeightsInvalidError,
    WeightsMissingError,
)
from models.cutie.config import CUTIE_SMALL, LITE, MemoryConfig, css_memory
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.presence.usual import scores
from models.cutie.inference.propagation import FrameSizeError
from models.cutie.inference.single_pass import Pass
from models.cutie.inference.tracker import CutieTracker, RunOptions
from models.cutie.loader import load_segmenter, load_tracker, prepare_for_inference
from models.cutie.network.network import Network
from models.sam.heads import PromptHeads
from models.weights import compact
from tests.models.contract import NarrowFramesContract, TrackerContract
from tests.models.cutie_oracle import index_mask, moving_clip, oracle_config, oracle_network
from tests.waiting import PATIENCE

SIZE = (76, 92)  # no multiple of 16
CPU = torch.device("cpu")


class Noise:
    """A smooth random video; `odd` is a frame of another size."""

    def __init__(self, length: int, size: tuple[int, int] = SIZE, odd: int = -1) -> None:
        self._images = [
            (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
            for image in moving_clip(length, size)
        ]
        if odd >= 0:
            self._images[odd] = self._images[odd][:-4]
        self.size = size

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Image:
        return self._images[index]


@pytest.fixture(scope="module")
def small() -> Network:
    torch.manual_seed(0)
    return prepare_for_inference(Network(CUTIE_SMALL), CPU)


def tracker_on(frames: Frames, network: Network, **options: object) -> CutieTracker:
    return CutieTracker(
        network,
        frames,
        options=RunOptions(**options),  # type: ignore[arg-type]
        memory=lambda _: MemoryConfig(),
    )


class TestCutieTracker(TrackerContract, NarrowFramesContract):
    """Random weights follow nothing: all but the quality of the masks is asked for."""

    floor = 0.0
    load: Callable[[Frames], Tracker]

    @pytest.fixture(autouse=True)
    def _loaded(self, small: Network) -> None:
        self.load = lambda frames: tracker_on(frames, small)


def masks(objects: tuple[int, ...], shift: int = 0) -> dict[int, NDArray[np.bool_]]:
    index = index_mask(SIZE, objects, shift).numpy()
    return {object_id: index == object_id for object_id in objects}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("flip", [False, True])
def test_a_clip_has_the_published_probabilities_at_every_pixel(tmp_path: Path, flip: bool) -> None:
    inference_core = pytest.importorskip("cutie.inference.inference_core")
    oracle = oracle_network("small", seed=5)
    torch.save(oracle.state_dict(), tmp_path / "random.pth")
    video = Noise(15)
    core = inference_core.InferenceCore(oracle, oracle_config("small", flip_aug=flip))
    tracker = load_tracker(
        "cutie-small", video, LoadOptions(weights=tmp_path / "random.pth", device="cpu", flip=flip)
    )
    tracked = tracker.track({0: masks((1, 2))}, range(15), probabilities=True)
    for frame, found in tracked:
        image = torch.from_numpy(video[frame]).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            if frame == 0:
                expected = core.step(image, index_mask(SIZE, (1, 2)), [1, 2])
            else:
                expected = core.step(image)
        probability = np.stack([np.asarray(found[each].probability) for each in (1, 2)])
        assert np.abs(probability - expected[1:].numpy()).max() < 1e-3


def test_frames_after_the_anchor_are_the_same_whether_or_not_it_is_visited(small: Network) -> None:
    tracker = tracker_on(Noise(8), small)
    anchors = {2: masks((1, 2))}
    visited = dict(tracker.track(anchors, range(2, 8)))
    skipped = dict(tracker.track(anchors, range(3, 8)))
    for frame in range(3, 8):
        assert np.array_equal(visited[frame][1].mask, skipped[frame][1].mask)
        assert visited[frame][1].score == pytest.approx(skipped[frame][1].score)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("options", [{}, {"flip": True}, {"scales": (1.0, 0.5)}])
def test_encoding_side_by_side_changes_nothing(small: Network, options: dict[str, object]) -> None:
    anchors = {2: masks((1, 2)), 5: masks((2,), shift=4)}
    order = [2, 3, 4, 5, 6, 7, 1, 0]
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        tracker = tracker_on(Noise(8), small, side_by_side=threads > 1, **options)
        found.append(dict(tracker.track(anchors, order, probabilities=True)))
    assert list(found[0]) == list(found[1]) == order
    for frame, object_id in itertools.product(order, (1, 2)):
        one, other = (each[frame][object_id].probability for each in found)
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one, other, atol=1e-4)


def encoder_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("encoder")]


@pytest.mark.usefixtures("two_threads")
def test_a_run_that_is_given_up_leaves_no_thread(small: Network) -> None:
    tracker = tracker_on(Noise(8), small, side_by_side=True)
    run = tracker.track({0: masks((1,))}, range(8))
    next(run)
    threads = encoder_threads()
    assert threads
    run.close()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert torch.get_num_threads() == 2
    assert tracker.explain(1, 4, 4)


@pytest.mark.usefixtures("two_threads")
def test_a_bad_frame_ahead_is_an_error_when_it_is_due(small: Network) -> None:
    run = tracker_on(Noise(8, odd=7), small, side_by_side=True).track({0: masks((1,))}, range(8))
    seen = [next(run)[0] for _ in range(7)]
    assert seen == list(range(7))
    with pytest.raises(FrameSizeError):
        list(run)


def test_an_anchor_further_on_changes_what_comes_before_it(small: Network) -> None:
    tracker = tracker_on(Noise(8), small)
    alone = dict(tracker.track({0: masks((1,))}, range(5), probabilities=True))
    both = {0: masks((1,)), 7: masks((1,), shift=9)}
    helped = dict(tracker.track(both, range(5), probabilities=True))
    first, second = alone[4][1].probability, helped[4][1].probability
    assert first is not None
    assert second is not None
    assert np.abs(first - second).max() > 1e-4


def test_objects_with_other_anchors_are_followed_side_by_side(small: Network) -> None:
    video = Noise(9)
    tracker = tracker_on(video, small)
    anchors = {
        0: masks((1, 2)),
        4: {2: masks((1, 2), 5)[2], 3: masks((3,), 9)[3]},
        8: masks((1,), 3),
    }
    found = dict(tracker.track(anchors, range(8)))
    assert [set(found[frame]) for frame in (0, 3, 4, 7)] == [{1, 2}, {1, 2}, {1, 2, 3}, {1, 2, 3}]
    back = dict(tracker.track(anchors, range(8, -1, -1)))
    assert [set(back[frame]) for frame in (8, 5, 4, 0)] == [{1}, {1}, {1, 2, 3}, {1, 2, 3}]


def test_predictions_keep_off_a_given_mask_finer_than_the_network_sees(small: Network) -> None:
    eager = deepcopy(small)
    with torch.no_grad():
        assert eager.mask_decoder.pred.bias is not None
        eager.mask_decoder.pred.bias.add_(3)  # so that it sees objects everywhere
    tracker = tracker_on(Noise(4), eager, short_side=48)
    dots = np.zeros(SIZE, np.bool_)
    dots[::7, ::7] = True
    predicted = 0
    for given, other in ((1, 2), (2, 1)):
        found = dict(tracker.track({0: masks((1, 2)), 2: {given: dots}}, range(4)))[2]
        assert np.array_equal(found[given].mask, dots)
        assert not (found[other].mask & dots).any()
        predicted += int(np.count_nonzero(found[other].mask))
    assert predicted > 500


@pytest.fixture(scope="module")
def lite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    state = dict(Network(LITE).state_dict()) | dict(PromptHeads().state_dict())
    path = tmp_path_factory.mktemp("lite") / "lite.safetensors"
    compact.save(path, compact.shrink(state, lambda name: "pixel_encoder" in name), notice={})
    return path


def test_lite_follows_and_segments_from_one_small_file(lite_file: Path) -> None:
    options = LoadOptions(weights=lite_file, device="cpu", size=64)
    video = Noise(3)
    frames = dict(load_tracker("lite", video, options).track({0: masks((1, 2))}, range(3)))
    assert set(frames[2]) == {1, 2}
    found = load_segmenter("lite", video, options).segment(1, Prompt(clicks=(Click(30, 20),)))
    assert found[0].mask.shape == SIZE


def test_batches_of_frames_change_no_mask(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    video = Noise(9)
    anchors = {0: masks((1, 2)), 5: masks((2,), 4)}
    singly = dict(tracker_on(video, small, flip=True).track(anchors, range(9)))
    monkeypatch.setitem(
        __import__("models.cutie.inference.reader", fromlist=["_"])._BATCH, "cpu", 4
    )
    batched = dict(tracker_on(video, small, flip=True).track(anchors, range(9)))
    for frame in range(9):
        for number in (1, 2):
            same = singly[frame][number].mask == batched[frame][number].mask
            assert same.mean() > 0.999


def test_scales_and_flip_are_averaged_at_the_frames_size(small: Network) -> None:
    video = Noise(4)
    anchors = {0: masks((1,))}
    fused = dict(
        tracker_on(video, small, scales=(1.0, 1.4), flip=True).track(
            anchors, range(4), probabilities=True
        )
    )
    single = [
        dict(tracker_on(video, small, scales=(scale,), flip=True).track(
            anchors, range(4), probabilities=True
        ))
        for scale in (1.0, 1.4)
    ]  # fmt: skip
    expected = sum(np.asarray(one[3][1].probability) for one in single) / 2
    found = fused[3][1].probability
    assert found is not None
    assert found.shape == SIZE
    assert np.abs(found - expected).max() < 1e-5
    scores = [one[3][1].score for one in single]
    assert fused[3][1].score == pytest.approx(sum(scores) / 2, abs=1e-5)


def test_the_short_side_is_reached_from_above_only() -> None:
    big = Geometry.of((1080, 1920), short_side=480, scale=1, multiple=16)
    assert big.inner == (480, 853)
    assert big.padded == (480, 864)
    assert Geometry.of((240, 320), short_side=480, scale=1, multiple=16).inner == (240, 320)
    assert Geometry.of((240, 320), short_side=0, scale=1.5, multiple=32).inner == (360, 480)
    assert Geometry.of((1080, 1920), short_side=0, scale=1, multiple=32).padded == (1088, 1920)


def test_the_short_side_is_reached_from_below_where_frames_are_enlarged() -> None:
    small = Geometry.of((240, 320), short_side=480, scale=1, multiple=16, enlarge=True)
    assert small.inner == (480, 640)
    assert small.out(torch.rand(2, 480, 640)).shape == (2, 240, 320)
    assert Geometry.of((240, 320), short_side=0, scale=1, multiple=16, enlarge=True).inner == (
        240,
        320,
    )


@pytest.mark.parametrize("frame", [(1, 400), (400, 1), (8, 400), (20, 2000)])
def test_a_narrow_frame_is_not_enlarged_beyond_all_bounds(frame: tuple[int, int]) -> None:
    geometry = Geometry.of(frame, short_side=384, scale=1, multiple=32, enlarge=True)
    assert max(geometry.padded) <= max(4 * 384, -(-max(frame) // 32) * 32)
    assert min(geometry.padded) >= 32
    assert geometry.out(torch.rand(1, *geometry.inner)).shape == (1, *frame)


def test_a_mask_of_one_pixel_survives_being_made_small() -> None:
    geometry = Geometry.of((400, 400), short_side=50, scale=1, multiple=16)
    speck = torch.zeros(1, 400, 400)
    speck[0, 201, 202] = 1
    assert geometry.masks_in(speck).sum() == 1


def test_a_sharp_mask_scores_high_and_a_lost_object_low() -> None:
    probability = torch.zeros(4, 8, 8)
    probability[1, :4] = 0.99
    probability[2, 4:6] = 0.55
    probability[0] = 1 - probability[1:].sum(0)
    sharp, vague, lost = scores(probability).tolist()
    assert sharp > 0.95
    assert 0.3 < vague < 0.7
    assert lost == 0


def test_a_vote_names_the_frames_that_a_pixel_was_read_from(small: Network) -> None:
    tracker = tracker_on(Noise(8), small)
    assert tracker.explain(3, 10, 10, object_id=1) == ()
    list(tracker.track({0: masks((1,)), 7: masks((1,))}, range(7)))
    votes = tracker.explain(3, 40.5, 20.0, object_id=1)
    assert {vote.frame for vote in votes} <= {0, 5, 7}
    assert sum(vote.weight for vote in votes) == pytest.approx(1, abs=1e-4)
    assert isinstance(tracker, Explainer)
    assert tracker.explain(3, 40.5, 20.0) == votes  # there is no other object
    with pytest.raises(PromptError):
        tracker.explain(3, 400, 20, object_id=1)


def test_votes_are_what_the_published_formula_gives_for_the_remembered_frames(
    small: Network,
) -> None:
    tracker = tracker_on(Noise(8), small)
    list(tracker.track({0: masks((1,)), 7: masks((1,))}, range(7)))
    latest = tracker._latest[0]
    assert isinstance(latest, Pass)
    reader, geometry = latest._reader, latest._geometry
    column, row = geometry.cell(40.5, 20.0)
    with torch.inference_mode():
        seen = {frame: reader.read(frame).features for frame in (0, 3, 5, 7)}
    key, selection = (part[0, :, row, column].double() for part in (seen[3].key, seen[3].selection))
    found = []
    for frame in (0, 5, 7):
        for y, x in np.ndindex(tuple(seen[frame].key.shape[-2:])):
            distance = selection * (seen[frame].key[0, :, y, x].double() - key).square()
            weight = float(seen[frame].shrinkage[0, 0, y, x]) / len(key) ** 0.5
            found.append((-weight * float(distance.sum()), frame, geometry.centre(x, y)))
    best = sorted(found, reverse=True)[: MemoryConfig().top_k]
    shares = torch.tensor([value for value, _, _ in best]).softmax(0).tolist()
    votes = {vote.frame: vote for vote in tracker.explain(3, 40.5, 20.0, object_id=1)}
    for frame in (0, 5, 7):
        own = {at: share for (_, of, at), share in zip(best, shares, strict=True) if of == frame}
        told = votes[frame]
        assert told.weight == pytest.approx(sum(own.values()), abs=1e-4)
        assert {place[:2]: place.weight for place in told.places} == pytest.approx(own, abs=1e-4)


def test_a_frame_that_is_left_out_never_votes(small: Network) -> None:
    tracker = tracker_on(Noise(12), small)
    given = {0: masks((1,))}
    whole = list(tracker.track(given, range(12)))
    remembered = {vote.frame for vote in tracker.explain(11, 40.5, 20.0)}
    again = list(tracker.track_without((), given, range(12)))
    assert 5 in remembered
    assert all(
        np.array_equal(a[1][1].mask, b[1][1].mask) for a, b in zip(whole, again, strict=True)
    )
    assert isinstance(tracker, SelectiveTracker)
    list(tracker.track_without((5,), given, range(12)))
    assert {vote.frame for vote in tracker.explain(11, 40.5, 20.0)} == remembered - {5}
    list(tracker.track(given, range(12)))
    assert {vote.frame for vote in tracker.explain(11, 40.5, 20.0)} == remembered


@pytest.mark.parametrize("options", [{}, {"short_side": 48}])
def test_a_cell_is_found_again_at_its_centre(options: dict[str, int]) -> None:
    geometry = Geometry.of(SIZE, short_side=options.get("short_side", 0), scale=1, multiple=16)
    for column, row in ((1, 1), (2, 3), (4, 2)):
        assert geometry.cell(*geometry.centre(column, row)) == (column, row)


def test_votes_on_all_objects_are_those_of_each_together(small: Network) -> None:
    tracker = tracker_on(Noise(6), small)
    list(tracker.track({0: masks((1,)), 3: {2: masks((1, 2), 9)[2]}}, range(6)))
    one, two = (tracker.explain(5, 30, 30, object_id=each) for each in (1, 2))
    both = tracker.explain(5, 30, 30)
    assert [vote.weight for vote in both] == sorted((v.weight for v in both), reverse=True)
    assert sum(vote.weight for vote in both) == pytest.approx(1, abs=1e-4)
    for vote in both:
        own = [v.weight for v in (*one, *two) if (v.frame, v.store) == (vote.frame, vote.store)]
        assert vote.weight == pytest.approx(sum(own) / 2, abs=1e-5)


def test_a_frame_of_another_size_is_named(small: Network) -> None:
    tracker = tracker_on(Noise(5, odd=3), small)
    with pytest.raises(FrameSizeError, match="Frame 3"):
        list(tracker.track({0: masks((1,))}, range(5)))


def test_a_frame_outside_the_video_is_refused(small: Network) -> None:
    with pytest.raises(PromptError, match="outside"):
        tracker_on(Noise(3), small).track({0: masks((1,))}, range(5))


def test_css_keeps_more_memory_of_long_videos() -> None:
    short, long = css_memory(199).long_term, css_memory(200).long_term
    assert short is not None
    assert long is not None
    assert (short.most_frames, short.least_frames, css_memory(199).top_k) == (15, 14, 30)
    assert (long.most_frames, long.least_frames, css_memory(200).top_k) == (45, 40, 40)


TRACE = "code-was-run"


class _Evil:
    """Makes a file where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return (Path.touch, (self.trace,))


def _files(folder: Path) -> Iterator[Path]:
    network = Network(CUTIE_SMALL)
    save_file({"a": torch.zeros(3)}, folder / "other.safetensors")
    yield folder / "other.safetensors"
    torch.save(network.state_dict(), folder / "whole.pth")
    whole = (folder / "whole.pth").read_bytes()
    (folder / "cut.pth").write_bytes(whole[: len(whole) // 2])
    yield folder / "cut.pth"
    (folder / "text.pth").write_text("not weights")
    yield folder / "text.pth"
    (folder / "evil.pth").write_bytes(pickle.dumps(_Evil(folder / TRACE)))
    yield folder / "evil.pth"
    state = network.state_dict()
    state["pix_feat_proj.weight"] = torch.zeros(3, 3, 1, 1)
    torch.save(state, folder / "shape.pth")
    yield folder / "shape.pth"


def test_weights_that_are_not_usable_are_refused(tmp_path: Path) -> None:
    for path in _files(tmp_path):
        with pytest.raises(WeightsInvalidError, match=path.name):
            load_tracker("cutie-small", Noise(1), LoadOptions(weights=path, device="cpu"))
    assert not (tmp_path / TRACE).exists()


@pytest.mark.parametrize("name", ["cutie-small", "hiera-depth", "css"])
def test_missing_weights_say_how_to_get_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path))
    with pytest.raises(WeightsMissingError, match="maskwright"):
        load_tracker(name, Noise(1), LoadOptions(device="cpu"))


@pytest.mark.gpu
def test_on_a_cuda_device_the_frame_loop_never_waits(small: Network) -> None:
    device = torch.device("cuda")
    network = Network(CUTIE_SMALL)
    network.load_state_dict(Network(CUTIE_SMALL).state_dict())
    tracker = tracker_on(Noise(12), prepare_for_inference(network, device))
    running = tracker.track({0: masks((1, 2))}, range(12))
    next(running)
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert len(list(running)) == 11
    finally:
        torch.cuda.set_sync_debug_mode("default")
