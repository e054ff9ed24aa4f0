"""The entries of the shelf: what a person is told of each model before it is fetched."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.session.choices import best_models
from app.storage.settings import Settings

if TYPE_CHECKING:
    from models.registry import Model
    from models.weights.zoo import Weights

ROLES = ("tracker", "segmenter", "refiner", "sharpener")  # the settings that name a model
# What is imported late costs a tenth of a second, which a window that opens need not wait for.


class Presence(enum.Enum):
    """Where a model's weights are, in the order in which the models are listed."""

    BUNDLED = "comes along"
    HERE = "here"
    PARTLY = "partly here"
    ABSENT = "not here"
    BY_HAND = "fetched by hand"
    UNPUBLISHED = "not published"


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One model. Sizes are in bytes, 0 = not known.

    `roles` are those that it can have among the settings (tracker, segmenter, refiner), `used_as`
    those that it has, also because it is the best here. `terms` says why the licence has to be
    accepted first; `fit` is good, slow or too large; `family` is set of a person's own weights.
    """

    name: str
    about: str
    roles: tuple[str, ...]
    used_as: tuple[str, ...]
    presence: Presence
    size: int
    arrived: int
    licence: str
    terms: str
    url: str
    fit: str
    memory: int
    family: str = ""

    @property
    def can_be_used(self) -> bool:
        """Whether the weights are here, all of them."""
        return self.presence in {Presence.BUNDLED, Presence.HERE}

    @property
    def can_be_fetched(self) -> bool:
        """Whether the program can fetch the weights, from the start or from where it stopped."""
        return self.presence in {Presence.ABSENT, Presence.PARTLY}


def entries(settings: Settings) -> tuple[ShelfEntry, ...]:
    """Return every model, those that can be used first, and what else can be fetched, last."""
    from models import registry  # noqa: PLC0415

    used = _used(settings)
    found = [_entry(model, settings, used) for model in registry.models()]
    order = list(Presence)
    models = sorted(found, key=lambda each: (order.index(each.presence), bool(each.family)))
    return (*models, *_encoders({each.name for each in models}))


def families() -> tuple[str, ...]:
    """Return the models that a person may have weights of their own for."""
    from models import registry  # noqa: PLC0415

    return registry.families()


def room() -> tuple[int, int]:
    """Return the bytes of memory of this machine, and of its GPU; 0 = none, or not known."""
    from models.runtime.machine import machine  # noqa: PLC0415

    return machine().memory, machine().gpu_memory


def _used(settings: Settings) -> dict[str, str]:
    """Return the model of each role, also where none was chosen."""
    tracker, segmenter = best_models(settings)
    segmenter = settings.segmenter or segmenter
    models = (
        settings.tracker or tracker,
        segmenter,
        settings.refiner or segmenter,
        settings.sharpener,
    )
    return dict(zip(ROLES, models, strict=True))


def _entry(model: "Model", settings: Settings, used: Mapping[str, str]) -> ShelfEntry:
    from models import registry  # noqa: PLC0415
    from models.weights import store  # noqa: PLC0415

    known = {each.name: each for each in store.known()}.get(model.name)
    roles = ("tracker",) * model.tracks + ("segmenter", "refiner", "sharpener") * model.segments
    return ShelfEntry(
        name=model.name,
        about=model.summary,
        roles=roles,
        used_as=tuple(role for role in roles if used[role] == model.name),
        presence=_presence(model, known),
        size=registry.size_of(model.name),
        arrived=store.arrived(model.name) if known else 0,
        licence=_licence(model, known),
        terms=known.terms if known else "",
        url=known.url if known else "",
        fit=registry.fit(model.name, settings.device).value,
        memory=registry.memory_of(model.name),
        family=model.family,
    )


def _presence(model: "Model", known: "Weights | None") -> Presence:
    from models import registry  # noqa: PLC0415
    from models.weights import store  # noqa: PLC0415

    if not model.weights or model.name in store.bundled():
        return Presence.BUNDLED
    if model.family or registry.available(model.name) is None:
        return Presence.HERE
    if known is None:
        return Presence.UNPUBLISHED
    if known.by_hand:
        return Presence.BY_HAND
    return Presence.PARTLY if store.arrived(model.name) else Presence.ABSENT


def _licence(model: "Model", known: "Weights | None") -> str:
    from models.weights import store  # noqa: PLC0415

    if known is not None:
        return known.licence
    if model.family:
        return "yours"
    if model.name in store.bundled():
        return "see its card"
    return "" if model.weights else "Apache-2.0"


def _encoders(models: set[str]) -> Iterator[ShelfEntry]:
    """Yield the weights that are no model by themselves: what training begins with."""
    from models.weights import store  # noqa: PLC0415

    companions = {name for each in store.known() for name in each.companions}
    for weights in store.known():
        if weights.name in models | companions:
            continue
        here = store.missing(weights.name) is None
        arrived = store.arrived(weights.name)
        absent = Presence.PARTLY if arrived else Presence.ABSENT
        yield ShelfEntry(
            name=weights.name,
            about="an encoder that training hiera-depth begins with",
            roles=(),
            used_as=(),
            presence=Presence.HERE if here else absent,
            size=weights.size,
            arrived=arrived,
            licence=weights.licence,
            terms=weights.terms,
            url=weights.url,
            fit="good",
            memory=0,
        )
