"""What the settings mean to the parts of a session."""

from dataclasses import fields, replace
from pathlib import Path

from app.core.heal import Rules
from app.engine.inference import Choice
from app.storage.settings import Settings, load, save
from models.api import LoadOptions


def choice_of(settings: Settings) -> Choice:
    """Return which models to use and how."""
    options = LoadOptions(
        device=settings.device, threads=settings.threads, size=settings.size or None
    )
    return Choice(settings.tracker, settings.segmenter, settings.refiner, options)


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
