"""The choices among settings as a person is shown them, the models of this machine included."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.storage.settings import FIELDS, Field, Settings, Value


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a setting can have.

    `about` says what it is, `lacks` why it cannot be used here; each may be empty.
    """

    value: str
    label: str
    about: str = ""
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting. A number lies between `low` and `high`; a text is one of `options`, if any.

    `lowest` says what `low` means where it is no measure.
    """

    name: str
    group: str
    label: str
    tooltip: str
    default: Value
    low: float
    high: float
    unit: str
    options: tuple[Option, ...]
    lowest: str


def preferences() -> tuple[Preference, ...]:
    """Return every setting, in the order in which to show them."""
    return tuple(_preference(field) for field in FIELDS)


def changed(settings: Settings, values: Mapping[str, Value]) -> Settings:
    """Return the settings with other values for some names. Each must be of its field's kind."""
    return replace(settings, **values)  # type: ignore[arg-type]


def models_for(kind: str) -> tuple[Option, ...]:
    """Return the models of a kind, those first that can be used.

    A kind is "trackers", "segmenters" or "detectors".
    """
    from models import registry  # noqa: PLC0415  (a tenth of a second that the window need not wait)

    fit = {
        "trackers": registry.trackers,
        "segmenters": registry.segmenters,
        "detectors": registry.detectors,
    }[kind]()
    found = [
        Option(model.name, model.name, model.summary, _lacks(model.name))
        for model in registry.models()
        if model.name in fit
    ]
    return tuple(sorted(found, key=lambda option: bool(option.lacks)))


def _lacks(name: str) -> str:
    from models import registry  # noqa: PLC0415

    reason = registry.available(name)
    return f"{reason} Or open File, Models… here." if reason else ""


def best_models(settings: Settings) -> tuple[str, str]:
    """Return the tracker and the segmenter that are taken where none is chosen."""
    from models import registry  # noqa: PLC0415
    from models.api import LoadOptions  # noqa: PLC0415

    options = LoadOptions(device=settings.device)
    return registry.default_tracker(options), registry.default_segmenter(options)


def _preference(field: Field) -> Preference:
    fixed = tuple(Option(choice.value, choice.label) for choice in field.choices)
    models = models_for(field.models) if field.models else ()
    return Preference(
        field.name,
        field.group,
        field.label,
        field.tooltip,
        field.default,
        field.low,
        field.high,
        field.unit,
        (*fixed, *models),
        field.lowest,
    )
