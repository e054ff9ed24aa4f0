"""The settings in use: told when they change, kept in a file, and what they mean to a session."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.core.heal import Rules
from app.engine.inference import Choice
from app.session.state.interactions import Interactions, interaction
from app.session.state.status import Status
from app.storage.settings import Settings, load, save
from models.api import LoadOptions, Quality


class Preferences(QObject):
    """The settings that the session works with; what a person changes is kept in `file`."""

    changed = Signal()
    models_changed = Signal()  # other models are to be used, or otherwise; before `changed`
    weights_changed = Signal()  # other weights are on this machine than before

    def __init__(
        self,
        settings: Settings,
        file: Path | None,
        status: Status,
        interactions: Interactions,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._interactions = interactions
        self._settings, self._file, self._status = settings, file, status
        self._agrees: Callable[[], bool] = lambda: True

    @property
    def settings(self) -> Settings:
        """What the person has chosen."""
        return self._settings

    def ask_before_models(self, agrees: Callable[[], bool]) -> None:
        """Have `agrees` called before other models take the place of those in use."""
        self._agrees = agrees

    @interaction("preferences")
    def apply(self, settings: Settings) -> None:
        """Work with other settings from now on; other models are loaded when they are needed.

        Where the person does not agree to other models, everything stays as it is.
        """
        others = choice_of(self._settings) != choice_of(settings)
        if others and not self._agrees():
            self.changed.emit()  # what shows the settings shows again those that hold
            return
        before, self._settings = self._settings, settings
        if others:
            self.models_changed.emit()
        if self._file is not None:
            try:
                keep_changes(self._file, before, settings)
            except OSError as error:
                self._status.report("warning", f"The settings could not be kept: {error}")
        self.changed.emit()


def choice_of(settings: Settings) -> Choice:
    """Return which models to use and how."""
    options = LoadOptions(
        device=settings.device,
        threads=settings.threads,
        size=settings.size or None,
        quality=Quality(settings.quality),
    )
    models = Choice(settings.tracker, settings.segmenter, settings.refiner, options=options)
    if not settings.sharpener:
        return models
    return replace(models, sharpener=settings.sharpener, gate=settings.iou_gate)


def rules_of(settings: Settings) -> Rules:
    """Return when a heal may stop."""
    return Rules(
        iou=settings.heal_iou,
        boundary=settings.heal_boundary,
        area=settings.heal_area,
        patience=settings.heal_patience,
        conflict=settings.conflict,
    )


def cache_bytes(settings: Settings) -> int:
    """Return how much memory decoded frames may take."""
    return settings.cache_mib << 20


def keep_changes(path: Path, before: Settings, after: Settings) -> None:
    """Write what a person changed; what holds for this run only stays out. Raises OSError."""
    changes = {
        field.name: getattr(after, field.name)
        for field in fields(Settings)
        if getattr(after, field.name) != getattr(before, field.name)
    }
    save(path, replace(load(path), **changes))
