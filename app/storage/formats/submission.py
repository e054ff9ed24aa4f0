"""The file that VISOR's semi-supervised challenge takes: label maps as 854x480 polygons."""

import json
from collections.abc import Iterable, Sequence

from app.core.mask import Mask
from app.errors import FormatError, StorageError
from app.storage.formats.labelled import LabelledFrame, LabelledVideo, split_labels
from app.storage.formats.visor.geometry import DENSE_SIZE, filled, sampling, trace
from app.storage.formats.visor.read_back import is_same
from app.storage.formats.visor.records import FRAME_NAME, VisorFile
from app.storage.formats.visor.source_text import JsonObject

SUBMISSION_INFO = {
    "Dataset Name": "VISOR",
    "Challenge": "semi_supervised_vos",
    "Version": "0.1",
    "Resolution": "854x480",
    "Release Date": "Aug 2022",
    "URL": "https://epic-kitchens.github.io/VISOR",
    "Details": "This is a VISOR VOS submission file. All annotations must have 854x480 resolution",
}


def submission_json(videos: Iterable[LabelledVideo]) -> bytes:
    """Return the text of a submission of these subsequences; larger masks are sampled down.

    What is returned has been read back, and every mask is the one it was. Raises FormatError where
    a frame's name does not tell its video, as VISOR's names do; StorageError.
    """
    frames = [
        (video, frame)
        for video in sorted(videos, key=lambda video: video.name)
        for frame in sorted(video.frames, key=lambda frame: frame.stem)
    ]
    records = [_record(video, frame, _masks(video, frame)) for video, frame in frames]
    content = json.dumps({"info": SUBMISSION_INFO, "video_annotations": records}).encode()
    file = VisorFile.parse(content, "the submission")
    canvas = file.canvas
    for (video, frame), record in zip(frames, file.records, strict=True):
        read = [(item.name, filled(item.polygons, canvas)) for item in record.annotations]
        if not _is_same(read, _masks(video, frame)):
            raise StorageError(
                f"The masks of {video.name}, frame {frame.stem}, would not come back from the "
                "submission as they are. Nothing was written; please report this with the masks."
            )
    return content


def _masks(video: LabelledVideo, frame: LabelledFrame) -> list[tuple[str, Mask]]:
    """Return what is seen of each object at the size of a submission, by its name."""
    names = {info.id: info.name for info in video.objects}
    labels = frame.labels(video.size)[sampling(video.size, DENSE_SIZE)]
    return [(names[number], mask) for number, mask in split_labels(labels)]


def _is_same(read: Sequence[tuple[str, Mask | None]], made: Sequence[tuple[str, Mask]]) -> bool:
    return len(read) == len(made) and all(
        name == other and is_same(mask, wanted)
        for (name, mask), (other, wanted) in zip(read, made, strict=True)
    )


def _record(
    video: LabelledVideo, frame: LabelledFrame, masks: Iterable[tuple[str, Mask]]
) -> JsonObject:
    match = FRAME_NAME.fullmatch(frame.stem)
    if not match:
        raise FormatError(
            f"{video.name}: the frame {frame.stem} is not named as VISOR's are "
            "(P01_01_frame_0000000140), so it cannot be submitted."
        )
    name = f"{frame.stem}.png"
    return {
        "image": {
            "image_path": f"{match['video']}/{name}",
            "name": name,
            "video": match["video"],
            "subsequence": video.name,
        },
        "annotations": [
            {"name": named, "segments": trace(mask.crop(), (mask.box[2], mask.box[0]))}
            for named, mask in masks
        ],
    }
