"""The context of a session: its state, as the parts that change it are given it."""

from dataclasses import dataclass

from app.session.state.interactions import Interactions
from app.session.state.masks import Masks
from app.session.state.preferences import Preferences
from app.session.state.status import Status
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What is open, what is looked at, what was chosen, and what is told; each by itself.

    `interactions` tell what the person does with all of it.
    """

    status: Status
    preferences: Preferences
    video: CurrentVideo
    masks: Masks
    view: ViewState
    interactions: Interactions
