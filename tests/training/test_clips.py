import numpy as np
import torch

from models.training.clips import ClipBatch, ClipSpec, draw_batch
from models.training.features import CachedSequence

CELLS = (4, 6)


def _sequence(length: int = 6) -> CachedSequence:
    """Return an object that is always there, and one from frame 3 on, of which 2 shows a speck."""
    labels = np.zeros((length, 64, 96), np.uint8)
    labels[:, 8:32, 8:32] = 7
    labels[3:, 32:56, 60:84] = 9
    labels[2, 32:36, 60:64] = 9
    return CachedSequence("two", np.zeros((length, 64, 96, 3), np.uint8), labels, ())


def _draw(late: float, *, objects: int = 2, seed: int = 0) -> ClipBatch:
    spec = ClipSpec(length=4, max_skip=1, objects=objects, window=CELLS, late=late)
    return draw_batch([_sequence()], spec, 24, np.random.default_rng(seed))


def test_an_object_that_comes_later_starts_on_its_first_frame() -> None:
    batch = _draw(1.0)
    later = batch.present[:, 1] & (batch.starts[:, 1] > 0)
    assert later.any()
    for labels, start in zip(batch.labels[later], batch.starts[later, 1], strict=True):
        shown = (labels == 2).flatten(1).any(dim=1)
        assert shown.tolist() == [time >= int(start) for time in range(4)]


def test_no_object_starts_on_the_last_frame() -> None:
    assert int(_draw(1.0).starts.max()) == 2


def test_where_none_may_come_late_all_start_on_the_first_frame() -> None:
    batch = _draw(0.0)
    assert not batch.starts.any()
    alone = ~batch.present[:, 1]
    assert alone.any()
    assert int(batch.labels[alone].max()) == 1


def test_there_are_never_more_objects_than_there_is_room_for() -> None:
    batch = _draw(1.0, objects=1)
    assert batch.present.shape == (24, 1)
    assert int(batch.labels.max()) == 1


def test_the_same_generator_draws_the_same_batch() -> None:
    first, again = _draw(0.5, seed=4), _draw(0.5, seed=4)
    assert torch.equal(first.labels, again.labels)
    assert torch.equal(first.starts, again.starts)
