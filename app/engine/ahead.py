"""What models need, imported before a video is open."""

from contextlib import suppress
from threading import Thread

from app.engine.inference import Choice
from models.api import ModelError


def import_ahead(choice: Choice) -> Thread:
    """Start to import what the models of a choice need, and return the thread that does it.

    Whoever ends the program waits for it: half an import cannot be broken off. What cannot be
    imported is said when the model is asked for.
    """
    thread = Thread(target=_import, args=(choice,), name="imports")
    thread.start()
    return thread


def _import(choice: Choice) -> None:
    from models import registry  # noqa: PLC0415

    tracker = choice.tracker or registry.default_tracker(choice.options)
    segmenter = choice.segmenter or registry.default_segmenter(choice.options)
    for name in (segmenter, tracker):
        with suppress(ModelError, ImportError, RuntimeError):  # the last as the program ends
            registry.import_model(name)
