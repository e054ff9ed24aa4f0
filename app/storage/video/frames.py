"""The cache of decoded frames: bounded, read ahead, each decoded once."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from app.errors import FrameReadError
from models.api import Frames, Image

DEFAULT_BYTES = 768 << 20
_READERS = 2
_AHEAD = 16  # frames, or a quarter of the memory where that is less
_WAITING = 8
_STRIDE = 4  # a step up to this far is travel, a longer one is a jump

Done = Callable[[int], None]


class _Traveller:
    """Where one kind of caller is and which way it goes."""

    def __init__(self) -> None:
        self._at: int | None = None
        self.ahead: deque[int] = deque()  # what to read next, nearest first

    def move(self, index: int, length: int, most: int) -> None:
        step = 1 if self._at is None else index - self._at
        self._at = index
        if step == 0:
            return
        self.ahead.clear()
        if abs(step) <= _STRIDE:
            wanted = (index + step * count for count in range(1, most + 1))
            self.ahead.extend(i for i in wanted if 0 <= i < length)


class FrameCache:
    """A video through a memory of bounded size; may be used from any thread.

    `get` is for a model's thread, `peek` and `request` for a window's. Each of the two is followed
    in its direction of travel and read ahead for. A frame is decoded once, however many ask for it
    at a time. Images are shared between all who ask: not to be written to. The video stays the
    caller's to close, after the cache.
    """

    def __init__(self, video: Frames, limit_bytes: int = DEFAULT_BYTES) -> None:
        self._video = video
        self._limit = limit_bytes
        self._images: OrderedDict[int, Image] = OrderedDict()  # least recently used first
        self._used = 0
        self._failures: dict[int, FrameReadError] = {}
        self._in_work: set[int] = set()
        self._waiting: OrderedDict[int, list[Done]] = OrderedDict()  # newest last
        self._shown, self._processed = _Traveller(), _Traveller()
        self._is_closed = False
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, name=f"reader-{n}", daemon=True)
            for n in range(_READERS)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames in pixels."""
        return self._video.size

    @property
    def used_bytes(self) -> int:
        """The bytes of all images held, at most the limit (or one image, where that is more)."""
        return self._used

    def __len__(self) -> int:
        return len(self._video)

    def __getitem__(self, index: int) -> Image:
        return self.get(index)

    def get(self, index: int) -> Image:
        """Return frame `index`, waiting for it. Raises FrameReadError."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        with self._changed:
            self._travel(self._processed, index)
            self._changed.wait_for(lambda: index not in self._in_work)
            image = self._images.get(index)
            if image is not None:
                self._images.move_to_end(index)
                return image
            self._in_work.add(index)
        outcome = self._decode(index)
        if isinstance(outcome, FrameReadError):
            raise outcome
        return outcome

    def peek(self, index: int) -> Image | None:
        """Return frame `index` if it is in memory; never waits for a decoder."""
        with self._changed:
            image = self._images.get(index)
            if image is not None:
                self._images.move_to_end(index)
                self._travel(self._shown, index)
            return image

    def nearest(self, index: int) -> tuple[int, Image] | None:
        """Return the frame in memory that lies nearest to `index`, and its image.

        It is not counted as a look at that frame: nothing is read ahead for it.
        """
        with self._changed:
            held = min(self._images, key=lambda each: abs(each - index), default=None)
            return None if held is None else (held, self._images[held])

    def failure(self, index: int) -> FrameReadError | None:
        """Return why frame `index` could not be read, when it was last tried."""
        return self._failures.get(index)

    def request(self, index: int, done: Done) -> None:
        """Have frame `index` read, then call `done(index)` from a reader's thread.

        `done` is called for a frame that cannot be read, too: `peek` is None then and `failure`
        says why. Only the newest few requests are kept: one that later ones push out is dropped
        and its `done` never called.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        with self._changed:
            self._travel(self._shown, index)
            self._waiting.setdefault(index, []).append(done)
            self._waiting.move_to_end(index)
            while len(self._waiting) > _WAITING:
                self._waiting.popitem(last=False)
            self._changed.notify_all()

    def close(self) -> None:
        """Stop the readers, waiting for the frames they are at, and drop all images."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for reader in self._readers:
            reader.join()
        with self._changed:
            self._images.clear()
            self._used = 0

    def _travel(self, traveller: _Traveller, index: int) -> None:
        height, width = self._video.size
        affordable = self._limit // 4 // (height * width * 3)
        traveller.move(index, len(self), min(_AHEAD, affordable))
        self._changed.notify_all()

    def _read(self) -> None:
        while (index := self._next()) is not None:
            self._decode(index)
            self._answer(index)

    def _next(self) -> int | None:
        """Wait for something to read and mark it as in work; None when closed."""
        with self._changed:
            while not self._is_closed:
                index = self._pick()
                if index is not None:
                    self._in_work.add(index)
                    return index
                self._changed.wait()
            return None

    def _pick(self) -> int | None:
        # Requests that are in memory by now are picked as well: they still await their answer.
        for index in reversed(self._waiting):
            if index not in self._in_work:
                return index
        for traveller in (self._shown, self._processed):
            while traveller.ahead:
                index = traveller.ahead.popleft()
                if not (index in self._images or index in self._in_work or index in self._failures):
                    return index
        return None

    def _decode(self, index: int) -> Image | FrameReadError:
        """Read the frame that this thread has in work, unless it is in memory by now."""
        try:
            held = self._images.get(index)
            image = self._video[index] if held is None else held
            with self._changed:
                self._failures.pop(index, None)
                self._hold(index, image)
        except FrameReadError as error:
            self._failures[index] = error
            return error
        except MemoryError:
            text = f"Frame {index}: there is not enough memory to read it. Close other programs."
            self._failures[index] = failure = FrameReadError(text)
            return failure
        else:
            return image
        finally:
            with self._changed:
                self._in_work.discard(index)
                self._changed.notify_all()

    def _hold(self, index: int, image: Image) -> None:
        if index not in self._images:
            self._images[index] = image
            self._used += image.nbytes
        self._images.move_to_end(index)
        while self._used > self._limit and len(self._images) > 1:
            _, oldest = self._images.popitem(last=False)
            self._used -= oldest.nbytes

    def _answer(self, index: int) -> None:
        with self._changed:
            waiting = self._waiting.pop(index, [])
        for done in waiting:
            done(index)
