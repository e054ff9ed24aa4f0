"""The panel of the suspects."""

import enum

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QWidget,
)

from app.core.document import Key
from app.core.events import Event, Reason
from app.core.suspects import Order, Suspect
from app.gui.widgets.fields import keep_from_wheel
from app.gui.widgets.rows import TablePanel, table_of
from app.gui.widgets.words import percent
from app.session.review import Review
from app.session.state.masks import Masks
from app.session.state.view import ViewState

Index = QModelIndex | QPersistentModelIndex


class Column(enum.IntEnum):
    """What stands in which column."""

    FRAMES = 0
    OBJECT = 1
    REASONS = 2


class SuspectsModel(QAbstractTableModel):
    """The suspects, one a row, worst first."""

    def __init__(self, masks: Masks, review: Review, parent: QWidget) -> None:
        super().__init__(parent)
        self._masks, self._review = masks, review
        self._suspects = review.suspects
        self._words, self._events = _reason_words(self), _event_words(self)
        review.suspects_changed.connect(self._on_suspects_changed)
        masks.objects_changed.connect(self._on_suspects_changed)

    def suspect(self, row: int) -> Suspect:
        """Return the suspect in a row."""
        return self._suspects[row]

    def row_at(self, frame: int, object_id: int | None) -> int | None:
        """Return the row of the suspect that covers a frame of an object, or None."""
        return next(
            (
                row
                for row, suspect in enumerate(self._suspects)
                if suspect.object == object_id and suspect.first <= frame <= suspect.last
            ),
            None,
        )

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._suspects)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Frames"), self.tr("Object"), self.tr("Why"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._suspects):
            return None
        suspect = self._suspects[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            remedy = self.tr(" Z exchanges them from there on.")
            entry = self._masks.entry(Key(suspect.frame, suspect.object))
            sure = self._masks.confidence(entry)
            likely = "" if sure is None else self.tr(" {} sure there.").format(percent(sure))
            return (
                self.tr("Look at frame {}; {} frames may be wrong. {}").format(
                    suspect.frame, suspect.last - suspect.first + 1, self._reasons(suspect)
                )
                + likely
                + (remedy if suspect.event is Event.SWAP else "")
            )
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        match Column(index.column()):
            case Column.FRAMES:
                one = suspect.first == suspect.last
                return f"{suspect.first}" if one else f"{suspect.first}-{suspect.last}"
            case Column.OBJECT:
                return self._object_name(suspect.object)
            case _:
                return self._why(suspect)

    def _why(self, suspect: Suspect) -> str:
        """Say what seems to have happened; where no event is known, what looks odd."""
        if suspect.event not in self._events:
            return self._reasons(suspect)
        other = "" if suspect.other is None else self._object_name(suspect.other)
        return self._events[suspect.event].format(other or self.tr("another object"))

    def _reasons(self, suspect: Suspect) -> str:
        # That an anchor has changed since is known, and is not why the mask is suspect.
        told = [reason for reason in suspect.reasons if reason is not Reason.STALE]
        return ", ".join(self._words.get(reason, reason.value) for reason in told)

    def _object_name(self, object_id: int) -> str:
        names = (info.name for info in self._masks.objects if info.id == object_id)
        return next(names, str(object_id))

    @Slot()
    def _on_suspects_changed(self) -> None:
        self.beginResetModel()
        self._suspects = self._review.suspects
        self.endResetModel()


class ReviewPanel(TablePanel):
    """The list of suspects. `asked` follows a double click or Enter: show this one."""

    asked = Signal(object)  # Suspect

    def __init__(
        self, view: ViewState, masks: Masks, review: Review, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view, self._masks, self._review = view, masks, review
        self._model = SuspectsModel(masks, review, self)
        self._tree = table_of(
            self._model,
            self.tr("Suspects, worst first"),
            stretched=Column.REASONS,
            fixed=(Column.OBJECT,),
        )
        self._tree.header().resizeSection(Column.OBJECT, 90)
        self._order = QComboBox()
        keep_from_wheel(self._order)
        for text, order in (
            (self.tr("worst first"), Order.VALUE),
            (self.tr("by time"), Order.TIME),
        ):
            self._order.addItem(text, order)
        self._order.setAccessibleName(self.tr("Order of the suspects"))
        self._order.setToolTip(self.tr("Which suspect comes first, here and for N"))
        self._only = QCheckBox(self.tr("selected object"))
        self._only.setMinimumHeight(24)
        self._only.setToolTip(self.tr("List only suspects of the selected object"))
        choices = QHBoxLayout()
        choices.addWidget(self._order)
        choices.addWidget(self._only, 1)
        self._layout.addLayout(choices)
        self._lay_out((self._count,))
        self._layout.addStretch(0)
        self._order.activated.connect(self._on_arranged)
        self._only.toggled.connect(self._on_arranged)
        self._tree.clicked.connect(self._on_chosen)
        self._tree.activated.connect(self._on_chosen)
        self._model.modelReset.connect(self._on_reset)
        view.frame_changed.connect(self._mark_current)
        view.selection_changed.connect(self._mark_current)
        self._on_reset()

    def chosen(self) -> Suspect | None:
        """Return the suspect that is current in the list."""
        index = self._tree.currentIndex()
        return self._model.suspect(index.row()) if index.isValid() else None

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self.asked.emit(self._model.suspect(index.row()))

    @Slot()
    def _on_arranged(self) -> None:
        self._review.arrange(self._order.currentData(), of_selected=self._only.isChecked())

    @Slot()
    def _on_reset(self) -> None:
        count = self._model.rowCount()
        if count:
            self._count.setText(self.tr("{} to look at").format(count))
        elif self._review.found:
            self._count.setText(self.tr("None of the selected object; others have some."))
        elif len(self._masks.document):
            self._count.setText(self.tr("Nothing suspect. Propagate, or step through by hand."))
        else:
            self._count.setText(self.tr("Suspect masks appear here after a propagation."))
        # A low panel leaves the list out, but not the half of a sentence.
        lines = 1 if count else 2
        self._count.setMinimumHeight(lines * self._count.fontMetrics().lineSpacing())
        self._tree.setVisible(count > 0)
        self._mark_current()

    @Slot()
    def _mark_current(self) -> None:
        row = self._model.row_at(self._view.frame, self._view.selected)
        if row is not None:
            self._tree.setCurrentIndex(self._model.index(row, 0))


def _event_words(model: SuspectsModel) -> dict[Event, str]:
    return {
        Event.SWAP: model.tr("swapped with {}"),
        Event.TAKEN: model.tr("taken by {}"),
        Event.TWO_THINGS: model.tr("on two things"),
        Event.LEAK: model.tr("leaks"),
        Event.LOST: model.tr("lost"),
        Event.RE_ENTRY: model.tr("comes back"),
        Event.MADE_UP: model.tr("made up?"),
        Event.CONFLICT: model.tr("forward and backward disagree"),
    }


def _reason_words(model: SuspectsModel) -> dict[Reason, str]:
    return {
        Reason.LOW_SCORE: model.tr("the model is unsure"),
        Reason.AREA_JUMP: model.tr("size jumps"),
        Reason.LOW_OVERLAP: model.tr("place jumps"),
        Reason.SPLIT: model.tr("falls apart"),
        Reason.VANISHED: model.tr("vanishes"),
        Reason.SLIVER: model.tr("hardly any left"),
        Reason.RETURNED: model.tr("comes back"),
        Reason.BORDER_EXIT: model.tr("leaves at the border"),
        Reason.CONFLICT: model.tr("forward and backward disagree"),
    }
