"""The models that are imported and loaded before a video is open."""

from contextlib import suppress
from threading import Thread

from app.engine.inference import Choice
from models.api import ModelError


def load_ahead(choice: Choice) -> Thread:
    """Start to load what the models of a choice need, and return the thread that does it.

    Whoever ends the program waits for it: half an import cannot be broken off. What cannot be
    loaded is said when the model is asked for.
    """
    thread = Thread(target=_load, args=(choice,), name="models")
    thread.start()
    return thread


def _load(choice: Choice) -> None:
    from models import registry  # noqa: PLC0415

    tracker = choice.tracker or registry.default_tracker(choice.options)
    segmenter = choice.segmenter or registry.default_segmenter(choice.options)
    for name in dict.fromkeys((segmenter, tracker)):
        with suppress(ModelError, ImportError, RuntimeError):  # the last as the program ends
            registry.load_ahead(name, choice.options)
