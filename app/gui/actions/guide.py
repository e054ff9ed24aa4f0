"""The quick guide: the way through a video in one page."""

from collections.abc import Mapping

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget


class Guide(QDialog):
    """Explains the loop from the first click to the export; `keys` are the actions' by name."""

    def __init__(self, keys: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Quick guide"))
        self.resize(620, 430)
        text = QTextBrowser()
        text.setAccessibleName(self.tr("Quick guide"))
        text.setMarkdown(
            self.tr(
                "## From a video to masks\n\n"
                "1. **Open** a video or a folder of frames, or drop it on the window.\n"
                "2. **Click** an object ({tool_points}). Right-click what is not part of it. "
                "The first click makes an object; {new_object} makes another one.\n"
                "3. **Enter** verifies the mask: it becomes an *anchor*, and the masks that hang "
                "on it are propagated. {forward}, {backward} and {both} propagate without a "
                "change.\n"
                "4. **{next_suspect}** goes to the next suspect: a mask that may have drifted. "
                "Click to correct it, press Enter, and only what is wrong is computed anew. "
                "{verify_and_next} says that the mask is right.\n"
                "5. **{export}** exports.\n\n"
                "## Good to know\n\n"
                "- An anchor is never overwritten: no model touches what you drew, corrected or "
                "verified.\n"
                "- Every change is one step of undo, a propagation over the whole video too.\n"
                "- Everything is saved as you work.\n"
                "- You can edit while a propagation runs; {stop} stops it and keeps what is done.\n"
                "- {palette} finds every command, {sheet} shows every key."
            ).format_map(keys)
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)
