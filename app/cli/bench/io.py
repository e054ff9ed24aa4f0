"""`maskwright bench io`: how quickly videos and projects are read and written."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import av

from app.cli.bench.clips import packed_disc, scene, write_clip
from app.cli.bench.table import Measure, as_json, percentile, table
from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.gui.window.process.memory import resident_bytes
from app.storage.files.writing import atomic_write
from app.storage.project.project import Project
from app.storage.video.frames import FrameCache
from app.storage.video.opening import Video, open_video

T = TypeVar("T")

_HD = (1080, 1920)  # height, width
_RATE, _GROUP = 30, 60  # frames per second, frames from one key frame to the next
_HOUR = 3600 * _RATE
_CLIP, _JUMPS = 240, 40
_STROKES, _PROPAGATED, _MASKS, _OBJECTS = 100, 1_000, 50_000, 5


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and return 1 where a target is missed."""
    with tempfile.TemporaryDirectory(prefix="maskwright-bench-") as name:
        folder = Path(name)
        measures = [*_of_files(folder), *_of_images(folder), *_of_projects(folder)]
    resident = resident_bytes()
    if resident is not None:
        measures.append(Measure("Resident memory at the end", resident / 2**20, "MiB", 2500))
    sys.stdout.write(table(measures))
    if arguments.json is not None:
        atomic_write(arguments.json, (json.dumps(as_json(measures), indent=1) + "\n").encode())
    return 0 if all(measure.is_met for measure in measures) else 1


def _of_files(folder: Path) -> Generator[Measure, None, None]:
    clip = _write_video(folder / "clip.mp4", _HD, _CLIP)
    for kind in (".mp4", ".mkv"):
        hour = _repeated(clip, folder / f"hour{kind}", _HOUR)
        size = hour.stat().st_size / 2**30
        seconds, video = _timed(partial(_opened, hour))
        name = f"Open 1 h {kind} ({size:.1f} GiB), show its first frame"
        yield Measure(name, seconds, "s", 1.0)
        yield from _jumps(video, f"1 h {kind}")
        video.close()
        hour.unlink()
    video = open_video(clip)
    forward, _ = _timed(lambda: [video[index] for index in range(_CLIP)])
    yield Measure("Next frame, 1080p H.264", forward / _CLIP * 1000, "ms", 1000 / _RATE)
    backward, _ = _timed(lambda: [video[index] for index in range(_CLIP - 1, -1, -1)])
    yield Measure("Frame before, 1080p H.264", backward / _CLIP * 1000, "ms", 1000 / _RATE)
    video.close()


def _of_images(folder: Path) -> Generator[Measure, None, None]:
    video = open_video(write_clip(folder / "frames", _HD, _CLIP, 30))
    alone, _ = _timed(lambda: [video[index] for index in range(60)])
    yield Measure("Next frame, 1080p JPEG", alone / 60 * 1000, "ms", 1000 / _RATE)
    cache = FrameCache(video)
    ahead, _ = _timed(lambda: [cache.get(index) for index in range(_CLIP)])
    yield Measure("The same, read ahead", ahead / _CLIP * 1000, "ms", 1000 / _RATE)
    yield Measure("Memory that the frames take", cache.used_bytes / 2**20, "MiB", 768)
    cache.close()


def _of_projects(folder: Path) -> Generator[Measure, None, None]:
    masks = [packed_disc(_HD, at, at % 3) for at in range(100)]
    project = Project.create(folder / "a.maskwright", folder / "clip.mp4", _HOUR, _HD)
    strokes = [
        _timed(partial(project.append, {Key(at, 1): Entry(masks[at], Origin.DRAWN)}))[0]
        for at in range(_STROKES)
    ]
    yield Measure("Save a brush stroke, median", percentile(strokes, 50) * 1000, "ms", 5)
    yield Measure("Save a brush stroke, p95", percentile(strokes, 95) * 1000, "ms", 50)
    batch, _ = _timed(lambda: project.append(_propagated(masks, _PROPAGATED)))
    yield Measure(f"Save {_PROPAGATED:,} propagated masks", batch * 1000, "ms", 500)
    project.append(_propagated(masks, _MASKS))
    project.close()
    opened, project = _timed(lambda: Project.open(folder / "a.maskwright"))
    loaded, document = _timed(project.load)
    yield Measure(f"Open a project and load {len(document):,} masks", opened + loaded, "s", 1.5)
    project.close()


def _propagated(masks: list[Mask], count: int) -> dict[Key, Entry]:
    return {
        Key(at // _OBJECTS, at % _OBJECTS + 1): Entry(
            masks[at % len(masks)], Origin.PROPAGATED, score=0.9
        )
        for at in range(count)
    }


def _jumps(video: Video, name: str) -> Generator[Measure, None, None]:
    rng = random.Random(0)
    times = [_timed(lambda: video[rng.randrange(len(video))])[0] for _ in range(_JUMPS)]
    yield Measure(f"Jump anywhere in {name}, median", percentile(times, 50) * 1000, "ms")
    yield Measure(f"Jump anywhere in {name}, p95", percentile(times, 95) * 1000, "ms")


def _opened(source: Path) -> Video:
    video = open_video(source)
    video[0]
    return video


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    begin = time.perf_counter()
    result = act()
    return time.perf_counter() - begin, result


def _write_video(path: Path, size: tuple[int, int], count: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "bf": "2", "g": str(_GROUP), "crf": "30"}
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(scene(size, index), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _repeated(clip: Path, path: Path, count: int) -> Path:
    """Write `clip` again and again, without encoding it anew, until there are `count` frames."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        base = source.streams.video[0].time_base or Fraction(1, _RATE)
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for round_ in range(count // len(packets)):
            shift = int(round_ * len(packets) / _RATE / base)
            for packet in packets:
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
                copy.time_base, copy.is_keyframe = base, packet.is_keyframe
                copy.stream = stream
                target.mux(copy)
    return path
