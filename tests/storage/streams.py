"""Small video streams of many kinds, to see whether each of their frames is read exactly."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import numpy as np
from av.video.stream import VideoStream

from models.api import Image

Packet: TypeAlias = "av.Packet[VideoStream]"

COUNT = 30
SIZE = (64, 96)  # height, width
_BLOCK = 16


def moving(number: int, size: tuple[int, int] = SIZE) -> Image:
    """Return a texture that moves and changes, so that every frame leans on those before it."""
    height, width = size
    noise = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    image = np.kron(np.roll(noise, (number, 2 * number), (0, 1)), np.ones((4, 4, 1), np.uint8))
    image = np.pad(image, ((0, height - len(image)), (0, width - image.shape[1]), (0, 0)), "edge")
    fresh = np.random.default_rng(number).integers(0, 256, (_BLOCK, _BLOCK, 3), np.uint8)
    y, x = number * 7 % (height - _BLOCK), number * 11 % (width - _BLOCK)
    image[y : y + _BLOCK, x : x + _BLOCK] = fresh
    return image


@dataclass(frozen=True)
class Stream:
    """How a stream is made: an encoder with its options, then what is done to its packets."""

    codec: str = "libx264"
    suffix: str = "mp4"
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    size: tuple[int, int] = SIZE
    gop: int = 8
    b_frames: int = 2
    muxer: dict[str, str] = field(default_factory=dict)
    times: Callable[[int], int] = lambda number: number * 40  # milliseconds
    rate: int = 25
    change: Callable[[list[Packet]], Iterable[Packet]] | None = None

    def write(self, folder: Path) -> Path:
        """Write the stream into `folder` and return its path."""
        path = folder / f"made.{self.suffix}"
        with av.open(str(path), "w", options=self.muxer) as container:
            stream = cast("VideoStream", container.add_stream(self.codec, rate=self.rate))
            self._set_up(stream)
            packets = list(self._encoded(stream))
            for packet in self.change(packets) if self.change else packets:
                container.mux(packet)
        return path

    def _set_up(self, stream: VideoStream) -> None:
        stream.height, stream.width = self.size
        stream.pix_fmt = self.pixels
        context = stream.codec_context
        context.gop_size, context.max_b_frames = self.gop, self.b_frames
        context.thread_count = 1
        options: dict[str, object] = dict(self.options)
        if self.codec == "libx264":
            options = {"preset": "ultrafast", "bf": str(self.b_frames), "b-adapt": "0",
                       "sc_threshold": "0"} | options  # fmt: skip
        if self.codec == "libx265":
            base = f"keyint={self.gop}:min-keyint=1:log-level=none:pools=none:frame-threads=1"
            options["x265-params"] = f"{base}:{options.get('x265-params', 'bframes=2')}"
        stream.options = options
        if self.codec.startswith(("libx26", "libvpx", "ffv1")):
            context.time_base = Fraction(1, 1000)

    def _encoded(self, stream: VideoStream) -> Iterator[Packet]:
        for number in range(COUNT):
            frame = av.VideoFrame.from_ndarray(moving(number, self.size), format="rgb24")
            frame = frame.reformat(format=self.pixels)
            if stream.codec_context.time_base == Fraction(1, 1000):
                frame.pts, frame.time_base = self.times(number), Fraction(1, 1000)
            else:
                frame.pts, frame.time_base = number, Fraction(1, self.rate)
            yield from stream.encode(frame)
        yield from stream.encode(None)


def all_keys(packets: list[Packet]) -> Iterable[Packet]:
    """Call every packet a key frame, as careless recorders do."""
    for packet in packets:
        packet.is_keyframe = True
    return packets


def no_keys(packets: list[Packet]) -> Iterable[Packet]:
    """Call no packet but the first a key frame."""
    for packet in packets[1:]:
        packet.is_keyframe = False
    return packets


def gap(packets: list[Packet]) -> Iterable[Packet]:
    """Leave a few packets out, in the middle of a group."""
    return [packet for number, packet in enumerate(packets) if not 10 <= number < 13]


X264 = "x264-params"
STREAMS = {
    "h264": Stream(),
    "h264 no b": Stream(b_frames=0),
    "h264 many b": Stream(b_frames=5, options={"b-pyramid": "normal", "preset": "medium"}),
    "h264 open group": Stream(options={X264: "open-gop=1"}),
    "h264 open group, slow": Stream(
        options={X264: "open-gop=1:ref=6:weightp=2:direct=temporal", "preset": "slow"}
    ),
    "h264 open group ts": Stream(suffix="ts", options={X264: "open-gop=1"}),
    "h264 open group mkv": Stream(suffix="mkv", options={X264: "open-gop=1"}),
    "h264 refresh": Stream(options={X264: "intra-refresh=1"}, b_frames=0),
    "h264 refresh mkv": Stream(suffix="mkv", options={X264: "intra-refresh=1"}, b_frames=0),
    "h264 refresh ts": Stream(suffix="ts", options={X264: "intra-refresh=1"}, b_frames=0),
    "h264 refresh raw": Stream(suffix="h264", options={X264: "intra-refresh=1"}, b_frames=0),
    "h264 refresh b": Stream(suffix="mkv", options={X264: "intra-refresh=1"}, b_frames=2),
    "h264 refresh ref": Stream(
        suffix="mkv", options={X264: "intra-refresh=1:ref=5", "preset": "slow"}, b_frames=3
    ),
    "h264 interlaced": Stream(options={X264: "interlaced=1"}, suffix="mkv"),
    "h264 444": Stream(pixels="yuv444p", size=(63, 95)),
    "h264 10 bit": Stream(pixels="yuv420p10le"),
    "h264 all keys mkv": Stream(suffix="mkv", change=all_keys),
    "h264 all keys mp4": Stream(suffix="mp4", change=all_keys),
    "h264 no keys": Stream(suffix="mkv", change=no_keys),
    "h264 raw": Stream(suffix="h264"),
    "h264 flv": Stream(suffix="flv"),
    "h264 avi": Stream(suffix="avi", b_frames=0),
    "h264 fragments": Stream(muxer={"movflags": "frag_keyframe+empty_moov"}),
    "h264 gap": Stream(suffix="mkv", change=gap),
    "h264 gap open": Stream(suffix="mkv", change=gap, options={X264: "open-gop=1"}),
    "h264 uneven": Stream(times=lambda n: n * 40 + n * n % 37, suffix="mkv"),
    "h264 time gap": Stream(times=lambda n: n * 40 + (n > 15) * 9000, suffix="mkv"),
    "h264 one group": Stream(gop=250),
    "hevc": Stream("libx265"),
    "hevc open group": Stream("libx265", options={"x265-params": "open-gop=1:bframes=3"}),
    "hevc open mkv": Stream("libx265", "mkv", {"x265-params": "open-gop=1:bframes=4:b-pyramid=1"}),
    "hevc closed ts": Stream("libx265", "ts", {"x265-params": "open-gop=0:bframes=2"}),
    "hevc refresh": Stream("libx265", "mkv", {"x265-params": "intra-refresh=1:bframes=0"}),
    "hevc all keys": Stream("libx265", "mkv", {"x265-params": "open-gop=1"}, change=all_keys),
    "hevc gap": Stream("libx265", "mkv", {"x265-params": "open-gop=0"}, change=gap),
    "mpeg2 open": Stream("mpeg2video", "mpg"),
    "mpeg2 ts": Stream("mpeg2video", "ts"),
    "mpeg2 mkv all keys": Stream("mpeg2video", "mkv", change=all_keys),
    "mpeg2 closed": Stream("mpeg2video", "mkv", {"flags": "+cgop", "sc_threshold": "1000000000"}),
    "mpeg1": Stream("mpeg1video", "mpg"),
    "mpeg4 avi": Stream("mpeg4", "avi"),
    "mpeg4 mp4": Stream("mpeg4", "mp4"),
    "mpeg4 mkv all keys": Stream("mpeg4", "mkv", change=all_keys),
    "mpeg4 quarter pixel": Stream("mpeg4", "avi", {"flags": "+qpel"}, b_frames=0),
    "msmpeg4": Stream("msmpeg4", "avi", b_frames=0),
    "wmv2": Stream("wmv2", "asf", b_frames=0),
    "flv1": Stream("flv", "flv", b_frames=0),
    "h263p": Stream("h263p", "avi", b_frames=0),
    "vp8": Stream("libvpx", "webm", b_frames=0),
    "vp8 hidden": Stream("libvpx", "webm", {"auto-alt-ref": "1", "lag-in-frames": "8"}, b_frames=0),
    "vp9": Stream("libvpx-vp9", "webm", {"cpu-used": "8"}, b_frames=0),
    "vp9 hidden": Stream(
        "libvpx-vp9", "mkv", {"auto-alt-ref": "1", "lag-in-frames": "10"}, b_frames=0
    ),
    "vp9 all keys": Stream("libvpx-vp9", "mkv", {"cpu-used": "8"}, b_frames=0, change=all_keys),
    "av1": Stream("libsvtav1", "mp4", {"preset": "10"}, b_frames=0),
    "av1 open": Stream(
        "libsvtav1", "mkv", {"preset": "10", "svtav1-params": "irefresh-type=1"}, b_frames=0
    ),
    "av1 all keys": Stream("libsvtav1", "mkv", {"preset": "10"}, b_frames=0, change=all_keys),
    "ffv1 groups": Stream("ffv1", "mkv", {"level": "1", "coder": "1", "context": "1"}, b_frames=0),
    "mjpeg": Stream("mjpeg", "avi", pixels="yuvj420p", b_frames=0),
    "prores": Stream("prores_ks", "mov", pixels="yuv422p10le", b_frames=0),
    "png": Stream("png", "mov", pixels="rgb24", b_frames=0),
    "gif": Stream("gif", "gif", pixels="rgb8", b_frames=0),
    "apng": Stream("apng", "apng", pixels="rgb24", b_frames=0),
    "snow": Stream("snow", "avi", {"strict": "-2"}, b_frames=0),
    "svq1": Stream("svq1", "mov", pixels="yuv410p", b_frames=0),
    "qtrle": Stream("qtrle", "mov", pixels="rgb24", b_frames=0),
    "cinepak": Stream("cinepak", "avi", pixels="rgb24", b_frames=0),
    "flashsv": Stream("flashsv", "flv", pixels="bgr24", b_frames=0),
    "zmbv": Stream("zmbv", "avi", pixels="bgr0", b_frames=0),
    "msvideo1": Stream("msvideo1", "avi", pixels="rgb555le", b_frames=0),
    "huffyuv": Stream("huffyuv", "avi", pixels="yuv422p", b_frames=0),
    "utvideo": Stream("utvideo", "avi", pixels="yuv422p", b_frames=0),
    "rv20": Stream("rv20", "rm", b_frames=0),
}
