"""The validation of `maskwright train`: sequences propagated from their first masks."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from torch.nn import Module

from app.batch.passes.predict import predict
from app.core.evaluate import Labels, Protocol, score_sequence, summarize
from app.errors import UsageError
from app.storage.formats.davis import mask_files, mask_folders
from app.storage.formats.palette import read_labels
from app.storage.video.opening import Video, open_video
from models.api import Tracker
from models.cutie.inference.tracker import CutieTracker, RunOptions
from models.cutie.loader import runs_as
from models.cutie.network.network import Network
from models.sam.video.tracker import Sam2Tracker
from models.training.config import Validation

_IMAGES = ("480p", "Full-Resolution", "")


class SequenceValidation:
    """Propagates each sequence from its first masks and scores it.

    `model` names the network, as a config does: it is run with that model's own memory.
    """

    def __init__(self, settings: Validation, model: str) -> None:
        """Raises UsageError where the protocol is unknown."""
        self._settings = settings
        self._model = model
        self._root = Path(settings.root)
        try:
            self._protocol = Protocol(settings.protocol)
        except ValueError as error:
            known = ", ".join(protocol.value for protocol in Protocol)
            raise UsageError(
                f"There is no protocol {settings.protocol!r}. Set `protocol` to one of: {known}."
            ) from error

    def __call__(self, network: Module) -> Mapping[str, float]:
        """Return sequence -> J&F, 0 to 1."""
        return {folder.name: self._score(network, folder) for folder in self._folders()}

    def _folders(self) -> list[Path]:
        settings = self._settings
        found = mask_folders(self._root)
        chosen = [folder for folder in found if not settings.only or folder.name in settings.only]
        if not settings.most or settings.most >= len(chosen):
            return chosen
        at = np.linspace(0, len(chosen) - 1, settings.most).round().astype(int)
        return [chosen[index] for index in at]

    def _score(self, network: Module, folder: Path) -> float:
        video = open_video(self._images_of(folder))
        masks = {path.stem: path for path in mask_files(folder)}
        index = {video.stem(number): number for number in range(len(video))}
        frames = [index[stem] for stem in masks if stem in index][:: self._settings.stride]
        truths = [self._labels(masks[video.stem(frame)], video) for frame in frames]
        tracker = self._tracker(network, video)
        predicted = list(_propagated(tracker, truths[0], frames))
        video.close()

        names = [str(frame) for frame in frames]
        score = score_sequence(
            folder.name, names, truths.__getitem__, predicted.__getitem__, self._protocol
        )
        return summarize([score]).jf

    def _images_of(self, masks: Path) -> Path:
        name, sizes = masks.name, (masks.parent.name, *_IMAGES)
        folders = [self._root / "JPEGImages" / size / name for size in sizes]
        found = [folder for folder in folders if folder.is_dir()]
        if not found:
            raise UsageError(f"{folders[-1]} is not there: the frames of {name} are needed too.")
        return found[0]

    def _labels(self, path: Path, video: Video) -> Labels:
        labels = read_labels(path, video.size)
        if self._protocol is Protocol.DAVIS2016:
            return (labels > 0).astype(np.uint8)
        return np.where(labels == 255, 0, labels).astype(np.uint8)

    def _tracker(self, network: Module, video: Video) -> Tracker:
        if not isinstance(network, Network):
            return Sam2Tracker(network, video)
        model = runs_as(self._model, network.config)
        options = RunOptions(short_side=self._settings.size, enlarge=model.enlarge)
        return CutieTracker(network, video, options=options, memory=model.memory)


def _propagated(tracker: Tracker, first: Labels, frames: list[int]) -> Iterator[Labels]:
    """Yield each frame's labels."""
    anchor = {int(label): first == label for label in np.unique(first) if label}
    for _, found in predict(tracker, {frames[0]: anchor}, frames):
        labels = np.zeros_like(first)
        for label, prediction in found.items():
            labels[prediction.mask] = label
        yield labels
