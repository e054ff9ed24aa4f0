"""The panel that finds things by words: what to look for and where, and what was found."""

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QCompleter,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.proposals import Proposal
from app.gui.widgets.fields import fill_options, keep_from_wheel
from app.session.choices import models_for
from app.session.edits.finding import Finding, phrases_of
from app.session.edits.objects import ObjectEdits
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

Index = QModelIndex | QPersistentModelIndex
_SWATCH = 12
_TARGET = 26  # pixels: what a finger or an unsteady hand still meets
_OFFERED = 8  # names of classes below the field


class ProposalsModel(QAbstractListModel):
    """What was found, one a row, ticked where it is to be taken."""

    def __init__(self, masks: Masks, finding: Finding, parent: QWidget) -> None:
        super().__init__(parent)
        self._masks, self._finding = masks, finding
        self._proposals = finding.proposals
        finding.changed.connect(self._on_changed)

    def proposal(self, row: int) -> Proposal:
        """Return what was found, by its row."""
        return self._proposals[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._proposals)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._proposals):
            return None
        proposal = self._proposals[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            left_out = self._finding.is_left_out(proposal.key)
            return Qt.CheckState.Unchecked if left_out else Qt.CheckState.Checked
        if role == Qt.ItemDataRole.DecorationRole:
            return self._swatch(proposal)
        if role == Qt.ItemDataRole.DisplayRole:
            new = self.tr(" (new)") if proposal.key.object < 0 else ""
            score = f"{100 * proposal.score:.0f} %"
            return f"{proposal.key.frame} · {proposal.name}{new} · {score}"
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        leave = Qt.CheckState(value) is Qt.CheckState.Unchecked
        self._finding.leave_out(self._proposals[index.row()].key, leave=leave)
        return True

    def _swatch(self, proposal: Proposal) -> QPixmap:
        colors = {info.id: QColor(*info.color) for info in self._masks.objects}
        picture = QPixmap(_SWATCH, _SWATCH)
        picture.fill(colors.get(proposal.key.object, QColor(255, 255, 255)))
        return picture

    @Slot()
    def _on_changed(self) -> None:
        if (found := self._finding.proposals) != self._proposals:
            self.beginResetModel()
            self._proposals = found
            self.endResetModel()
        elif found:
            self.dataChanged.emit(self.index(0), self.index(len(found) - 1))


class FindPanel(QWidget):
    """Words, frames and model above, what was found below; a click on a row goes there."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        objects: ObjectEdits,
        finding: Finding,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._view, self._objects, self._finding = view, objects, finding
        self._model = ProposalsModel(masks, finding, self)
        self._make_question()
        self._make_list()
        self._lay_out()
        finding.changed.connect(self._show_state)
        view.range_changed.connect(self._show_state)
        video.opened.connect(self._show_state)
        video.opened.connect(self._fill_detectors)
        self._show_state()

    @property
    def words(self) -> QLineEdit:
        """The field of what to look for."""
        return self._words

    @property
    def view(self) -> QListView:
        """The list of what was found."""
        return self._list

    def set_actions(self, hands: QAction) -> None:
        """Offer what needs no words beside the button that looks."""
        self._hands.setDefaultAction(hands)

    def ask(self) -> None:
        """Let the person say what to look for."""
        self._words.setFocus()
        self._words.selectAll()

    def _make_question(self) -> None:
        self._words = QLineEdit()
        self._words.setPlaceholderText(self.tr("cup, cutting board, tap"))
        self._words.setAccessibleName(self.tr("What to look for, parted by commas"))
        self._words.setToolTip(self.tr("Things to look for, parted by commas; or a sentence"))
        self._words.setClearButtonEnabled(True)
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._words.setCompleter(completer)
        self._words.textEdited.connect(self._offer)
        self._words.returnPressed.connect(self._look)
        self._where = _choice(self.tr("Where to look"), self.tr("this frame"), self.tr("in to out"))
        self._every = QSpinBox()
        self._every.setRange(1, 10_000)
        self._every.setValue(10)
        self._every.setPrefix(self.tr("every "))
        self._every.setAccessibleName(self.tr("Every how many frames"))
        self._every.setToolTip(self.tr("Look at one frame in so many"))
        keep_from_wheel(self._every)
        self._kind = _choice(
            self.tr("How many of each"), self.tr("all of a kind"), self.tr("one of each")
        )
        self._detectors = _choice(self.tr("The model that finds"), self.tr("as the words need"))
        self._detectors.setItemData(0, "")
        self._where.currentIndexChanged.connect(self._show_state)
        self._button = QPushButton()
        self._button.clicked.connect(self._on_pressed)
        self._hands = QToolButton()
        self._hands.setMinimumSize(_TARGET, _TARGET)
        self._state = QLabel()
        self._state.setObjectName("dim")
        self._state.setWordWrap(True)

    def _make_list(self) -> None:
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setAccessibleName(self.tr("What was found"))
        self._list.setUniformItemSizes(True)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.clicked.connect(self._on_chosen)
        self._list.activated.connect(self._on_chosen)
        self._take = QPushButton(self.tr("&Take"))
        self._take.setObjectName("primary")
        self._take.setToolTip(self.tr("Make anchors of what is ticked, as one step"))
        self._take.clicked.connect(self._on_taken)
        self._discard = QPushButton(self.tr("&Discard"))
        self._discard.setToolTip(self.tr("Forget what was found"))
        self._discard.clicked.connect(self._finding.discard)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._words)
        choices = QGridLayout()
        choices.setSpacing(4)
        choices.addWidget(self._where, 0, 0)
        choices.addWidget(self._every, 0, 1)
        choices.addWidget(self._kind, 1, 0)
        choices.addWidget(self._detectors, 1, 1)
        choices.setColumnStretch(0, 1)
        choices.setColumnStretch(1, 1)
        layout.addLayout(choices)
        for widgets in ((self._button, self._hands), (self._take, self._discard)):
            row = QHBoxLayout()
            row.addWidget(widgets[0], 1)
            row.addWidget(widgets[1])
            layout.addLayout(row)
            if widgets[0] is self._button:
                layout.addWidget(self._state)
                layout.addWidget(self._list, 1)
        layout.addStretch(0)

    @Slot()
    def _fill_detectors(self) -> None:
        if self._detectors.count() == 1:  # once a video is open: the window does not wait for it
            fill_options(self._detectors, models_for("detectors"))

    @Slot(str)
    def _offer(self, text: str) -> None:
        """Offer names of classes for the last of the words."""
        head, comma, last = text.rpartition(",")
        before = f"{head}, " if comma else ""
        names = [match.name for match in self._objects.search_classes(last)[:_OFFERED]]
        self._names.setStringList([before + name for name in names])
        if names:
            self._words.completer().complete()

    @Slot()
    def _on_pressed(self) -> None:
        if self._finding.progress is None:
            self._look()
        else:
            self._finding.stop()

    @Slot()
    def _look(self) -> None:
        phrases = phrases_of(self._words.text())
        if not phrases:
            self._state.setText(self.tr("Say what to look for, such as: cup, cutting board."))
            return
        view = self._view
        here = self._where.currentIndex() == 0
        frames = [view.frame] if here else range(view.first, view.last + 1, self._every.value())
        self._finding.look(
            phrases,
            frames,
            all_of_kind=self._kind.currentIndex() == 0,
            detector=self._detectors.currentData() or "",
        )

    @Slot()
    def _on_taken(self) -> None:
        self._finding.take()

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self._view.go_to(self._model.proposal(index.row()).key.frame)

    @Slot()
    def _show_state(self) -> None:
        progress, found = self._finding.progress, self._finding.proposals
        self._every.setEnabled(self._where.currentIndex() == 1)
        self._button.setText(self.tr("&Look") if progress is None else self.tr("&Stop"))
        for button in (self._take, self._discard):
            button.setEnabled(bool(found))
        self._list.setVisible(bool(found))
        frames = len({each.key.frame for each in found})
        if progress is not None:
            text = self.tr("Looking: {} of {} frames, {} found").format(*progress, len(found))
        elif found:
            text = self.tr("{} found on {} frames. Enter takes those of a frame.").format(
                len(found), frames
            )
        else:
            text = self.tr("What is found appears here, and dashed over the picture.")
        self._state.setText(text)


def _choice(name: str, *texts: str) -> QComboBox:
    box = QComboBox()
    keep_from_wheel(box)
    box.addItems(list(texts))
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box
