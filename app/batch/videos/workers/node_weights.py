"""The weights on the nodes of a cluster: written once a node, whichever worker comes first."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from app.batch.videos.results import wait_for_lock
from app.storage.files.writing import atomic_write
from models.weights import store
from models.weights.own import own_weights

Held = Mapping[str, object]  # where weights lie in their folder -> what a cluster keeps of them


def files_of(names: Iterable[str]) -> dict[str, Path]:
    """Return the weights files of these models that are on this machine, with their companions.

    Each goes by its place in the folder of weights. Those that come with the program are on every
    node.
    """
    known = {each.name: each for each in store.known()}
    mine = own_weights()
    found = [mine[name].path for name in names if name in mine]
    waiting = [name for name in names if name in known]
    while waiting:
        name = waiting.pop()
        if (place := store.place(name)) not in found and place.is_file():
            found.append(place)
            waiting += known[name].companions
    return {path.relative_to(store.folder()).as_posix(): path for path in found}


def provide(held: Held, fetch: Callable[[object], bytes]) -> None:
    """See to it that this node has the weights; `fetch` turns what is kept into their bytes.

    One process of a node fetches and writes a file, the others wait for it. Raises OSError.
    """
    for name, kept in held.items():
        place = store.folder() / name
        if place.is_file():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = wait_for_lock(place)
        try:
            if not place.is_file():
                atomic_write(place, fetch(kept))
        finally:
            lock.release()
