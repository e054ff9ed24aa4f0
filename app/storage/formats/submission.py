"""The file that VISOR's semi-supervised challenge takes: label maps as 854x480 polygons."""

import json
from collections.abc import Iterable

from app.errors import FormatError
from app.storage.formats.labelled import LabelledFrame, LabelledVideo, split_labels
from app.storage.formats.visor.geometry import DENSE_SIZE, sampling, trace
from app.storage.formats.visor.records import FRAME_NAME
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

    Raises FormatError where a frame's name does not tell its video, as VISOR's names do.
    """
    records = [
        _record(video, frame)
        for video in sorted(videos, key=lambda video: video.name)
        for frame in sorted(video.frames, key=lambda frame: frame.stem)
    ]
    return json.dumps({"info": SUBMISSION_INFO, "video_annotations": records}).encode()


def _record(video: LabelledVideo, frame: LabelledFrame) -> JsonObject:
    match = FRAME_NAME.fullmatch(frame.stem)
    if not match:
        raise FormatError(
            f"{video.name}: the frame {frame.stem} is not named as VISOR's are "
            "(P01_01_frame_0000000140), so it cannot be submitted."
        )
    names = {info.id: info.name for info in video.objects}
    labels = split_labels(frame.labels(video.size)[sampling(video.size, DENSE_SIZE)])
    name = f"{frame.stem}.png"
    return {
        "image": {
            "image_path": f"{match['video']}/{name}",
            "name": name,
            "video": match["video"],
            "subsequence": video.name,
        },
        "annotations": [
            {"name": names[number], "segments": trace(mask.crop(), (mask.box[2], mask.box[0]))}
            for number, mask in labels
        ],
    }
