"""The verbs of the selected object's masks."""

from dataclasses import replace

from app.core.document import Key, State
from app.session.edits.clipboard import Clipboard
from app.session.edits.masks import MaskEdits
from app.session.state.masks import Masks
from app.session.state.preferences import Preferences
from app.session.state.view import ViewState


class MaskVerbs:
    """Edits of the selected object, here or from the in to the out point."""

    def __init__(
        self,
        view: ViewState,
        masks: Masks,
        edit: MaskEdits,
        clipboard: Clipboard,
        preferences: Preferences,
    ) -> None:
        self._view, self._masks, self._edit, self._clipboard = view, masks, edit, clipboard
        self._preferences = preferences

    def verify(self) -> None:
        """Make the mask here an anchor."""
        self._edit.verify(self._here())

    def unanchor(self) -> None:
        """Let models overwrite the mask here."""
        self._edit.unanchor(self._here())

    def absent(self) -> None:
        """Say that the object is not in the picture here, or take that back."""
        here = self._here()
        if any(self._masks.state(key) is State.ABSENT for key in here):
            self._edit.show_again(here)
        else:
            self._edit.mark_absent(here)

    def absent_range(self) -> None:
        """Say that the object is not in the picture from in to out."""
        self._edit.mark_absent(self._range())

    def occluded(self) -> None:
        """Say that the object is behind something here, or take that back."""
        here = self._here()
        if any(self._masks.state(key) is State.OCCLUDED for key in here):
            self._edit.show_again(here)
        else:
            self._edit.mark_occluded(here)

    def clear(self) -> None:
        """Remove the mask here."""
        self._edit.clear(self._here())

    def clear_range(self) -> None:
        """Remove the masks from in to out."""
        self._edit.clear(self._range())

    def copy(self) -> None:
        """Remember the object's mask here."""
        self._clipboard.copy()

    def paste(self) -> None:
        """Give the copied mask to the object here."""
        if self._view.selected is None or self._edit.editable() is not None:
            self._clipboard.paste()

    def overlap(self) -> None:
        """Let masks of one frame overlap from now on, or exclude each other again."""
        settings = self._preferences.settings
        self._preferences.apply(replace(settings, overlap=not settings.overlap))

    def _here(self) -> list[Key]:
        chosen = self._edit.editable()
        return [] if chosen is None else [Key(self._view.frame, chosen)]

    def _range(self) -> list[Key]:
        chosen = self._edit.editable()
        if chosen is None:
            return []
        return [Key(frame, chosen) for frame in range(self._view.first, self._view.last + 1)]
