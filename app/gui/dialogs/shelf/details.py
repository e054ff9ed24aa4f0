"""What is said of the chosen model, and what can be done about it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.dialogs.shelf import wording
from app.gui.widgets.words import duration
from app.session.shelf.entries import Presence, ShelfEntry
from app.session.shelf.shelf import Shelf
from app.session.shelf.work import Work
from models.weights.download import megabytes

_STEPS = 1000  # of the progress bar: a number of bytes may be more than it can count to


class ModelDetails(QWidget):
    """One model: its licence, its progress, its buttons."""

    def __init__(
        self,
        shelf: Shelf,
        room: tuple[int, int],
        ask_for_file: Callable[[], str],
        parent: QWidget | None = None,
    ) -> None:
        """`room` is the machine's memory in bytes, and that of its GPU."""
        super().__init__(parent)
        self._shelf, self._room, self._ask_for_file = shelf, room, ask_for_file
        self._entry: ShelfEntry | None = None
        self._about = _text()
        self._said = _text()
        self._said.setObjectName("dim")
        self._accept = QCheckBox()
        self._accept.toggled.connect(self._refresh)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._make_buttons()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._about, self._said, self._bar, self._accept):
            layout.addWidget(widget)
        row = QHBoxLayout()
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch(1)
        layout.addLayout(row)

    def _make_buttons(self) -> None:
        rows: tuple[tuple[str, str, Callable[[], object]], ...] = (
            ("fetch", self.tr("Fetch"), self._fetch),
            ("pause", self.tr("Pause"), lambda: self._shelf.pause(self._name)),
            ("cancel", self.tr("Cancel"), lambda: self._shelf.cancel(self._name)),
            ("page", self.tr("Open its page"), self._open_page),
            ("put", self.tr("I have the file…"), self._put),
            ("use", self.tr("Use for"), lambda: None),
            ("verify", self.tr("Verify"), lambda: self._shelf.verify(self._name)),
            ("remove", self.tr("Remove"), lambda: self._shelf.remove(self._name)),
        )
        self.buttons: dict[str, QPushButton] = {}
        for name, text, call in rows:
            button = QPushButton(text)
            button.setAutoDefault(False)
            if name != "use":
                button.clicked.connect(call)
            self.buttons[name] = button
        self.buttons["fetch"].setObjectName("primary")
        self.use_menu = QMenu(self)
        self.buttons["use"].setMenu(self.use_menu)

    @property
    def licence(self) -> QCheckBox:
        """The box by which a licence is accepted."""
        return self._accept

    @property
    def said(self) -> str:
        """What is said of the work on the model."""
        return self._said.text()

    @property
    def _name(self) -> str:
        return self._entry.name if self._entry is not None else ""

    @property
    def _work(self) -> Work | None:
        return self._shelf.work.get(self._name)

    def show_entry(self, entry: ShelfEntry | None) -> None:
        """Show another model, or the same as it is now."""
        other = entry is None or entry.name != self._name
        self._entry = entry
        if other:
            self._accept.setChecked(False)
        self._fill_use_menu()
        self._refresh()

    @Slot()
    def show_work(self) -> None:
        """Show how far the work on the model is."""
        work = self._work
        self._bar.setVisible(work is not None)
        if work is None:
            self._said.setText(self._shelf.said(self._name))
        else:
            known = work.verb == "fetching" and work.total > 0
            self._bar.setRange(0, _STEPS if known else 0)
            if known:
                self._bar.setValue(_STEPS * work.done // work.total)
            self._said.setText(_amount(work))
        self._said.setVisible(bool(self._said.text()))

    @Slot()
    def _refresh(self) -> None:
        entry = self._entry
        self.setEnabled(entry is not None)
        if entry is None:
            return
        self._about.setText(_about(entry, self._room))
        self._accept.setText(
            self.tr("I accept the licence {}: {}").format(entry.licence, entry.terms)
        )
        asks = bool(entry.terms) and entry.can_be_fetched and self._work is None
        self._accept.setVisible(asks)
        for name, shown in self._shown(entry).items():
            self.buttons[name].setVisible(shown)
        resumes = entry.presence is Presence.PARTLY
        self.buttons["fetch"].setText(self.tr("Resume") if resumes else self.tr("Fetch"))
        self.buttons["fetch"].setEnabled(not asks or self._accept.isChecked())
        why = self.tr("Accept the licence first") if not self.buttons["fetch"].isEnabled() else ""
        self.buttons["fetch"].setToolTip(why)
        self.show_work()

    def _shown(self, entry: ShelfEntry) -> dict[str, bool]:
        work = self._work
        fetching = work is not None and work.verb == "fetching"
        idle = work is None
        return {
            "fetch": idle and entry.can_be_fetched,
            "pause": fetching,
            "cancel": fetching or (idle and entry.presence is Presence.PARTLY),
            "page": idle and entry.presence is Presence.BY_HAND,
            "put": idle and entry.presence in {Presence.BY_HAND, Presence.ABSENT},
            "use": idle and entry.can_be_used and bool(entry.roles),
            "verify": idle and entry.can_be_used and bool(entry.size),
            "remove": idle and entry.presence is Presence.HERE,
        }

    def _fill_use_menu(self) -> None:
        self.use_menu.clear()
        entry = self._entry
        for role in entry.roles if entry is not None else ():
            action = self.use_menu.addAction(wording.role_name(role))
            action.setCheckable(True)
            action.setChecked(entry is not None and role in entry.used_as)
            action.triggered.connect(lambda _=False, role=role: self._shelf.use(self._name, role))

    @Slot()
    def _fetch(self) -> None:
        self._shelf.fetch(self._name, accept_licence=self._accept.isChecked())

    @Slot()
    def _open_page(self) -> None:
        if self._entry is not None:
            QDesktopServices.openUrl(QUrl(self._entry.url))

    @Slot()
    def _put(self) -> None:
        name = self._name
        if file := self._ask_for_file():
            self._shelf.put(name, Path(file))


def _about(entry: ShelfEntry, room: tuple[int, int]) -> str:
    lines = [
        f"{entry.name} — {entry.about}.",
        " ".join(
            filter(
                None,
                (
                    wording.tr("Licence: {}.").format(entry.licence) if entry.licence else "",
                    wording.machine_in_full(entry, *room),
                ),
            )
        ),
    ]
    if entry.presence is Presence.UNPUBLISHED:
        lines.append(
            wording.tr("No weights were published. Train them, then add the file as your own.")
        )
    elif entry.url:
        lines.append(wording.tr("From {}").format(entry.url))
    return "\n".join(lines)


def _amount(work: Work) -> str:
    if work.verb != "fetching" or not work.done:
        return wording.progress(work)
    total = megabytes(work.total) if work.total else "?"
    facts = [f"{megabytes(work.done)} / {total}"]
    if work.rate:
        facts.append(f"{megabytes(int(work.rate))}/s")
    if work.rate and work.total:
        left = duration((work.total - work.done) / work.rate)
        facts.append(wording.tr("{} left").format(left))
    return f"{wording.progress(work)} ({', '.join(facts)})"


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
