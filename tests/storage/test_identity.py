"""The identity of a video: by which a project knows that its frames are others."""

import json
from pathlib import Path

from app.storage.project.identity import identity_of, unlike
from app.storage.video.opening import open_video
from tests.storage.clips import write_clip


def test_a_file_that_is_the_same_to_the_byte_is_the_same_video(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", 8)
    video = open_video(source)
    kept = json.loads(identity_of(video))
    kept["first"] = [255 - value for value in kept["first"]]  # as another decoder may show it
    assert unlike(json.dumps(kept).encode(), video) is None
    video.close()
    source.write_bytes(source.read_bytes() + b"\0")
    video = open_video(source)
    assert unlike(json.dumps(kept).encode(), video) == "its first frame is another picture"
    video.close()
