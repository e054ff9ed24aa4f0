"""The log of the interactions, where the person has chosen that one is kept."""

import logging
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from PySide6.QtCore import QObject, Slot

from app import paths
from app.core.effort import Interaction
from app.session.state.context import SessionContext
from app.storage.interactions import (
    SUFFIX,
    Head,
    end_line,
    end_of,
    head_line,
    line_of,
)

log = logging.getLogger(__name__)


class InteractionLog(QObject):
    """Writes each interaction with a video as it is made, from its opening to its closing.

    Local, and only where the setting says so. It holds the masks, but no image.
    """

    def __init__(self, context: SessionContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self.interactions = context, context.interactions
        self._file: BinaryIO | None = None
        context.interactions.made.connect(self._on_made)

    @property
    def path(self) -> Path | None:
        """The file that is written, where one is."""
        return Path(self._file.name) if self._file is not None else None

    def start(self) -> None:
        """Begin a log of the video that was just opened, where one is wanted."""
        opened, settings = self._context.video.now, self._context.preferences.settings
        if opened is None or not settings.interaction_log:
            return
        source = opened.video.source
        path = (
            paths.interactions_folder() / f"{source.name}-{datetime.now():%Y%m%d-%H%M%S-%f}{SUFFIX}"
        )
        video, masks = opened.video, opened.document
        head = Head(source, len(video), video.size, settings, masks, opened.seen)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        except OSError as error:
            self._context.status.report("warning", f"No log of interactions is kept: {error}")
            return
        self._write(head_line(head))

    def stop(self) -> None:
        """End the log with what the masks are like now."""
        after = self._context.interactions.finish()
        if self._file is not None:
            self._write(end_line(end_of(self._context.masks.document, after)))
        self._close()

    @Slot(object)
    def _on_made(self, made: Interaction) -> None:
        if self._file is not None:
            self._write(line_of(made))

    def _write(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + b"\n")
            self._file.flush()
        except OSError as error:
            self._context.status.report("warning", f"The log of interactions ends here: {error}")
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:  # what was left to write could not be
                log.warning("The log of interactions could not be closed: %s", error)
