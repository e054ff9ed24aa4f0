"""The weights on the nodes of a cluster: written once a node, whichever worker comes first."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from app.batch.videos.results import wait_for_lock
from app.storage.files.writing import atomic_write
from models.weights import store

Held = Mapping[str, object]  # the name of weights -> what a cluster keeps in place of their bytes


def files_of(names: Iterable[str]) -> dict[str, Path]:
    """Return the weights files of these names that are on this machine, with their companions.

    Those that come with the program are on every node.
    """
    found: dict[str, Path] = {}
    waiting = [name for name in names if name in {each.name for each in store.known()}]
    while waiting:
        name = waiting.pop()
        entry = next(each for each in store.known() if each.name == name)
        if name not in found and store.place(name).is_file():
            found[name] = store.place(name)
            waiting += entry.companions
    return found


def provide(held: Held, fetch: Callable[[object], bytes]) -> None:
    """See to it that this node has the weights; `fetch` turns what is kept into their bytes.

    One process of a node fetches and writes a file, the others wait for it. Raises OSError.
    """
    for name, kept in held.items():
        place = store.place(name)
        if place.is_file():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = wait_for_lock(place)
        try:
            if not place.is_file():
                atomic_write(place, fetch(kept))
        finally:
            lock.release()
