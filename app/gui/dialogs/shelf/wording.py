"""The words for a model on the shelf."""

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.session.shelf.entries import Presence, ShelfEntry
from app.session.shelf.work import Work
from models.weights.download import megabytes

_ROLES = {
    "tracker": QT_TRANSLATE_NOOP("Shelf", "Propagation"),
    "segmenter": QT_TRANSLATE_NOOP("Shelf", "Clicks"),
    "refiner": QT_TRANSLATE_NOOP("Shelf", "Refinement"),
    "sharpener": QT_TRANSLATE_NOOP("Shelf", "Sharpening while propagating"),
}
_PRESENCE = {
    Presence.BUNDLED: QT_TRANSLATE_NOOP("Shelf", "Comes with the program"),
    Presence.HERE: QT_TRANSLATE_NOOP("Shelf", "On this machine"),
    Presence.PARTLY: QT_TRANSLATE_NOOP("Shelf", "Paused"),
    Presence.ABSENT: QT_TRANSLATE_NOOP("Shelf", "Can be fetched"),
    Presence.BY_HAND: QT_TRANSLATE_NOOP("Shelf", "Fetched by hand"),
    Presence.UNPUBLISHED: QT_TRANSLATE_NOOP("Shelf", "Not published"),
}


def role_name(role: str) -> str:
    """Return what a model does in a role."""
    return tr(str(_ROLES[role]))


def purpose(entry: ShelfEntry) -> str:
    """Return in a few words what a model is for."""
    if entry.roles:
        return ", ".join(role_name(role) for role in entry.roles if role != "sharpener")
    return tr("Training") if not entry.memory else tr("Finding by words or hands")


def size(entry: ShelfEntry) -> str:
    """Return the size of the weights."""
    return megabytes(entry.size) if entry.size else "—"


def machine(entry: ShelfEntry) -> str:
    """Return whether this machine carries a model, in a word or two."""
    return {
        "good": tr("Runs well"),
        "slow": tr("Slow without a GPU"),
        "too large": tr("Too large"),
    }[entry.fit]


def machine_in_full(entry: ShelfEntry, memory: int, gpu_memory: int) -> str:
    """Return whether this machine, with so many bytes of memory, carries a model."""
    if not entry.memory:
        return ""
    need = tr("It takes about {} of memory").format(megabytes(entry.memory))
    there = tr("the GPU has {}").format(megabytes(gpu_memory)) if gpu_memory else ""
    there = there or tr("this machine has {}").format(megabytes(memory))
    return f"{machine(entry)}. {need}; {there}."


def state(entry: ShelfEntry, work: Work | None) -> str:
    """Return where the weights are, or what is being done about them."""
    if work is not None:
        return progress(work)
    if entry.used_as and {*entry.used_as, "sharpener"} >= {*entry.roles}:
        return tr("In use")
    if entry.used_as:
        return tr("In use: {}").format(", ".join(role_name(role) for role in entry.used_as))
    if entry.presence is Presence.PARTLY and entry.size:
        return tr("Paused at {} %").format(min(99, 100 * entry.arrived // entry.size))
    return tr(str(_PRESENCE[entry.presence]))


def progress(work: Work) -> str:
    """Return how far work is."""
    if not work.is_wanted:
        return tr("Stopping…")
    if work.verb != "fetching":
        return tr("Checking…")
    if not work.done:
        return tr("Connecting…")
    if not work.total:
        return tr("Fetching, {}").format(megabytes(work.done))
    return tr("Fetching, {} %").format(100 * work.done // work.total)


def tr(text: str) -> str:
    """Return a text of the shelf in the person's language."""
    return QCoreApplication.translate("Shelf", text)
