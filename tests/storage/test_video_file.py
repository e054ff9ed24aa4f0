"""Video files: frame i is the i-th that is shown, whatever the file is like."""

import gc
import random
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import av.stream
import numpy as np
import pytest
from PIL import Image

from app.errors import FrameReadError, VideoOpenError
from app.storage.video.decoder import Decoded, KeyPacket
from app.storage.video.opening import Video, open_video
from tests.storage.clips import SIZE, number_in, numbered, write_clip

COUNT = 60
UNEVEN = list(accumulate(random.Random(0).choices([7, 40, 41, 90, 400], k=COUNT - 1), initial=0))
KINDS: dict[str, dict[str, Any]] = {
    "b_frames.mp4": {},
    "b_frames.mkv": {},
    "b_frames.ts": {},
    "quicktime.mov": {},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1"}},
    "rolling_refresh.mp4": {"options": {"x264-params": "intra-refresh=1"}},
    "fragments.mp4": {"muxer": {"movflags": "frag_keyframe+empty_moov"}},
    "uneven.mp4": {"times": UNEVEN},
    "uneven.mkv": {"times": UNEVEN},
    "before_zero.mkv": {"times": [time - 500 for time in UNEVEN]},
    "times_in_decoding_order.avi": {},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg2.mpg": {"codec": "mpeg2video"},
    "motion_jpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p", "b_frames": 0},
    "no_times_no_index.h264": {},
    "odd_size.mkv": {"codec": "ffv1", "size": (47, 161), "b_frames": 0},
    "odd_size.mp4": {"pixels": "yuv444p", "size": (47, 161)},
}


def numbers(video: Video, order: Sequence[int]) -> list[int]:
    return [number_in(video[index]) for index in order]


@pytest.mark.parametrize("name", KINDS)
def test_every_frame_is_the_one_asked_for(tmp_path: Path, name: str) -> None:
    source = write_clip(tmp_path / name, COUNT, **KINDS[name])
    forward, mixed = list(range(COUNT)), list(range(COUNT)) * 2
    random.Random(1).shuffle(mixed)
    for order in (forward, forward[::-1], mixed):
        video = open_video(source)
        assert len(video) == COUNT
        assert numbers(video, order) == order
        assert video.damaged is None
        video.close()


def test_a_jump_to_the_middle_of_a_group_is_exact_at_once(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "long.mp4", 300, gop=50)
    for index in (149, 1, 299, 150, 250, 249):
        assert number_in(open_video(source)[index]) == index


def test_going_on_forward_does_not_seek(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = open_video(write_clip(tmp_path / "a.mp4", COUNT))
    assert number_in(video[5]) == 5
    decoder = video._decoder  # type: ignore[attr-defined]
    monkeypatch.setattr(decoder, "from_key", lambda key: pytest.fail("a seek"))
    assert numbers(video, range(6, 50)) == list(range(6, 50))
    assert numbers(video, [48, 44, 40]) == [48, 44, 40]  # just passed: still there


def test_what_a_decoder_makes_up_before_a_key_frame_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video: Any = open_video(write_clip(tmp_path / "a.mp4", COUNT, gop=20))
    sound, frame_before = video._decoder.from_key, int(video._index.shown[19])

    def lax(key: KeyPacket, *, trusting: bool) -> Iterator[Decoded]:
        run = sound(key)
        first = next(run)
        if key.number > frame_before:
            yield Decoded(frame_before, first.frame)
        yield from (first, *run)

    monkeypatch.setattr(video._decoder, "from_key", lax)
    assert numbers(video, [25, 19]) == [25, 19]


def test_times_are_those_of_the_file_from_the_first_frame(tmp_path: Path) -> None:
    for name in ("uneven.mkv", "before_zero.mkv"):
        video = open_video(write_clip(tmp_path / name, COUNT, **KINDS[name]))
        assert [video.time(i) for i in range(COUNT)] == pytest.approx([t / 1000 for t in UNEVEN])
        assert video.fps == pytest.approx((COUNT - 1) / (UNEVEN[-1] / 1000), rel=0.01)


def test_an_edit_list_hides_the_frames_that_players_hide(tmp_path: Path) -> None:
    # What lies before zero is cut by an edit list, which starts in the middle of a group.
    source = write_clip(tmp_path / "a.mp4", COUNT, times=[40 * (i - 7) for i in range(COUNT)])
    with av.open(str(source)) as container:
        shown = [
            number_in(np.asarray(f.to_ndarray(format="rgb24"), np.uint8))
            for f in container.decode(video=0)
        ]
    video = open_video(source)
    assert shown[0] > 0
    assert numbers(video, range(len(video))) == shown
    assert numbers(open_video(source), [20, 3, 0]) == [shown[20], shown[3], shown[0]]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_frames_at_one_and_the_same_time_are_all_there(tmp_path: Path, b_frames: int) -> None:
    source = write_clip(tmp_path / "a.mkv", COUNT, b_frames=b_frames)
    target = tmp_path / "same_times.mkv"
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        for number, packet in enumerate(before.demux(video=0)):
            if packet.pts is not None:
                packet.pts -= packet.pts % 80  # two and two at one time
                packet.dts = number - COUNT
                packet.stream = stream
                after.mux(packet)
    video = open_video(target)
    assert numbers(video, range(len(video))) == list(range(COUNT))
    assert numbers(open_video(target), [50, 21, 41]) == [50, 21, 41]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_video_filmed_sideways_stands_upright(tmp_path: Path, rotation: int) -> None:
    source = write_clip(tmp_path / "a.mp4", 12, rotation=rotation)
    video = open_video(source)
    assert video.size == (SIZE if rotation == 180 else SIZE[::-1])
    sideways = np.rot90(video[7], -(rotation // 90))
    assert number_in(np.ascontiguousarray(sideways)) == 7


def test_colours_are_right(tmp_path: Path) -> None:
    target = tmp_path / "red.mkv"
    with av.open(str(target), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 40, 60, "bgr0"
        red = np.zeros((40, 60, 3), np.uint8)
        red[:] = (200, 60, 30)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(red, format="rgb24")))
        container.mux(stream.encode(None))
    np.testing.assert_array_equal(open_video(target)[0], red)


def test_a_file_that_is_cut_off_keeps_its_frames_and_says_where_it_ends(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mp4", COUNT, muxer={"movflags": "faststart"}).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    video = open_video(cut)
    assert len(video) == COUNT
    assert video.damaged is not None
    first = int(video.damaged.split("frame ")[1].split()[0])
    assert 25 < first < 45
    assert numbers(video, range(first)) == list(range(first))
    with pytest.raises(FrameReadError, match=r"Frame 59 of cut\.mp4"):
        video[59]
    assert numbers(video, [3, first - 1, 0]) == [3, first - 1, 0]


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi"])
def test_a_cut_that_the_header_betrays_is_reported(tmp_path: Path, name: str) -> None:
    codec = {"a.webm": "libvpx", "a.avi": "mpeg4"}.get(name, "libx264")
    source = write_clip(tmp_path / name, 75, codec=codec, b_frames=0)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    video = open_video(source)
    assert 0 < len(video) < 75
    assert video.damaged is not None
    assert f"Only {len(video)} frames" in video.damaged
    assert numbers(video, range(len(video) - 2)) == list(range(len(video) - 2))


def test_damage_in_the_middle_leaves_the_frames_after_it(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", COUNT)
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2500] = random.Random(2).randbytes(2500)
    source.write_bytes(content)
    video, seen = open_video(source), {}
    for index in range(COUNT):
        try:
            seen[index] = number_in(video[index])
        except FrameReadError:
            continue
    wrong = [index for index in range(COUNT) if seen.get(index) != index]
    assert wrong
    assert set(wrong) <= set(range(20, 40))  # the group that was hit
    assert video.damaged is not None
    assert numbers(open_video(source), [59, 41, 10]) == [59, 41, 10]


def test_a_clip_that_begins_without_its_key_frame_begins_where_it_can_be_decoded(
    tmp_path: Path,
) -> None:
    source, target = write_clip(tmp_path / "a.ts", COUNT), tmp_path / "late.ts"
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        for number, packet in enumerate(before.demux(video=0)):
            packet.stream = stream
            if number >= 10 and packet.size:
                after.mux(packet)
    video = open_video(target)
    assert numbers(video, range(len(video))) == list(range(20, COUNT))


def test_pictures_that_lean_on_what_a_cut_removed_are_not_counted(tmp_path: Path) -> None:
    # In an open group, pictures shown before its key frame also need the group before.
    source = write_clip(tmp_path / "a.ts", COUNT, options={"x264-params": "open-gop=1"})
    target = tmp_path / "late.ts"
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        packets = [packet for packet in before.demux(video=0) if packet.size]
        second_key = [n for n, packet in enumerate(packets) if packet.is_keyframe][1]
        stream = after.add_stream_from_template(before.streams.video[0])
        for packet in packets[second_key:]:
            packet.stream = stream
            after.mux(packet)
    with av.open(str(target)) as container:
        shown = [
            number_in(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            for frame in container.decode(video=0)
        ]
    video = open_video(target)
    assert len(shown) < COUNT - second_key
    assert numbers(video, range(len(video))) == shown


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"hello\n" * 100),
        ("empty.mp4", b""),
        ("noise.mp4", random.Random(3).randbytes(9000)),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile a.mp4\n"),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoOpenError, match=name):
        open_video(tmp_path / name)


def test_a_recording_without_its_index_is_refused_with_advice(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4")
    source.write_bytes(source.read_bytes()[:-500])
    with pytest.raises(VideoOpenError, match="repair"):
        open_video(source)


def test_a_recording_that_broke_off_before_its_first_frame_is_refused(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", 5)
    content = source.read_bytes()
    cluster = content.index(b"\x1f\x43\xb6\x75")
    source.write_bytes(content[: cluster + 12])
    with pytest.raises(VideoOpenError, match="holds no frame"):
        open_video(source)


def test_a_missing_file_and_a_file_without_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoOpenError, match="does not exist"):
        open_video(tmp_path / "none.mp4")
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VideoOpenError, match="no video"):
        open_video(sound)


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "http:ä b%03d.mp4", 5)
    assert number_in(open_video(source)[4]) == 4


def test_frames_can_be_read_from_many_threads_at_once(tmp_path: Path) -> None:
    video = open_video(write_clip(tmp_path / "a.mp4", COUNT))
    wrong: list[int] = []

    def read(seed: int) -> None:
        order = random.Random(seed).sample(range(COUNT), COUNT)
        wrong.extend(i for i in order if number_in(video[i]) != i)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_closed_video_says_so(tmp_path: Path) -> None:
    video = open_video(write_clip(tmp_path / "a.mp4", 5))
    video.close()
    video.close()
    with pytest.raises(FrameReadError, match="closed"):
        video[0]


def test_a_closed_video_keeps_no_pictures(tmp_path: Path) -> None:
    video = open_video(write_clip(tmp_path / "a.mp4", 12))
    for index in range(6):
        video[index]
    before = pictures_in_memory()
    video.close()
    assert pictures_in_memory() <= before - 5  # the decoder's binding may keep the last one
    assert len(video) == 12


def pictures_in_memory() -> int:
    gc.collect()
    # By their types: to ask some objects of other packages for their class is a deprecation.
    return sum(type(each) is av.VideoFrame for each in gc.get_objects())


def test_an_index_outside_the_video_is_an_index_error(tmp_path: Path) -> None:
    video = open_video(write_clip(tmp_path / "a.mp4", 5))
    for index in (-1, 5):
        with pytest.raises(IndexError):
            video[index]


def test_files_made_from_frames_are_named_by_six_digits(tmp_path: Path) -> None:
    assert open_video(write_clip(tmp_path / "a.mp4", 5)).stem(3) == "000003"


def test_the_numbers_in_the_test_images_can_be_read() -> None:
    assert [number_in(numbered(n)) for n in (0, 1, 511, 1023)] == [0, 1, 511, 1023]


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_picture_is_turned_and_mirrored_as_its_matrix_says(
    tmp_path: Path, degrees: int, hflip: bool
) -> None:
    source = tmp_path / "a.mp4"
    picture = numbered(0b1011001)
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        stream.set_display_rotation(degrees, hflip=hflip)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    shown = np.rot90(picture, degrees // 90)  # counterclockwise, then mirrored
    shown = shown[:, ::-1] if hflip else shown
    seen = open_video(source)[0].astype(int)
    ways = [np.rot90(flat, k) for flat in (picture, picture[:, ::-1]) for k in range(4)]
    alike = [way for way in ways if way.shape == seen.shape]
    best = min(alike, key=lambda way: np.abs(seen - way).mean())
    np.testing.assert_array_equal(best, shown)


@pytest.mark.parametrize(("degrees", "shown"), [(0, "4/3"), (90, "3/4"), (180, "4/3")])
def test_the_shape_of_the_pixels_turns_with_the_picture(
    tmp_path: Path, degrees: int, shown: str
) -> None:
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(degrees)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(1), format="rgb24")))
        container.mux(stream.encode(None))
    assert open_video(source).pixel_aspect == Fraction(shown)


def with_sound(path: Path, seconds: float, *, cover: bool = False, pictures: int = 20) -> Path:
    """Write a clip of `pictures` frames at 10 a second with a sound track of `seconds`."""
    form = "mp4" if path.suffix == ".m4a" else None
    with av.open(str(path), "w", format=form) as container:
        sound = container.add_stream("mp3" if path.suffix == ".avi" else "aac", rate=16000)
        tracks = []
        if cover:
            front = container.add_stream("mjpeg", rate=1)
            front.width, front.height, front.pix_fmt = 320, 240, "yuvj420p"
            front.disposition = av.stream.Disposition.attached_pic
            tracks.append((front, [np.full((240, 320, 3), 99, np.uint8)]))
        if pictures:
            stream = container.add_stream("mpeg4", rate=10)
            stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
            tracks.append((stream, [numbered(number) for number in range(pictures)]))
        for track, shown in tracks:
            for picture in shown:
                container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(track.encode(None))
        silence = np.zeros((1, int(16000 * seconds)), np.float32)
        tone = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        tone.sample_rate = 16000
        container.mux(sound.encode(tone))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov", "avi", "ts"])
@pytest.mark.parametrize("seconds", [0.5, 9])
def test_a_sound_track_of_another_length_is_no_damage(
    tmp_path: Path, suffix: str, seconds: float
) -> None:
    video = open_video(with_sound(tmp_path / f"a.{suffix}", seconds))
    assert video.damaged is None
    assert len(video) == 20
    assert video.fps == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
def test_a_gap_and_a_last_picture_that_stands_for_long_are_no_damage(
    tmp_path: Path, suffix: str
) -> None:
    times = [n * 40 + (n > 8) * 5000 + (n == 19) * 7000 for n in range(20)]
    codec = "libvpx" if suffix == "webm" else "libx264"
    video = open_video(
        write_clip(tmp_path / f"a.{suffix}", 20, codec=codec, b_frames=0, times=times)
    )
    assert video.damaged is None
    assert video.time(19) == pytest.approx(times[19] / 1000, abs=0.01)


@pytest.mark.parametrize("suffix", ["mp4", "m4a"])
def test_a_cover_picture_is_no_video(tmp_path: Path, suffix: str) -> None:
    source = with_sound(tmp_path / f"song.{suffix}", 1, cover=True, pictures=0)
    with pytest.raises(VideoOpenError, match="holds no video"):
        open_video(source)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_video_with_a_cover_is_the_video(tmp_path: Path, suffix: str) -> None:
    video = open_video(with_sound(tmp_path / f"clip.{suffix}", 1, cover=True))
    assert video.size == SIZE
    assert numbers(video, range(len(video))) == list(range(20))


def test_what_is_put_behind_an_mp4_is_no_damage(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", 10)
    source.write_bytes(source.read_bytes() + b"SEFT trailer of a telephone" * 9)
    assert open_video(source).damaged is None


def test_a_file_of_several_pages_is_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(numbered(number)) for number in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(VideoOpenError, match=r"stack\.tif holds 3 pictures"):
        open_video(tmp_path / "stack.tif")
    pages[0].save(tmp_path / "one.tif")
    assert number_in(open_video(tmp_path / "one.tif")[0]) == 0
