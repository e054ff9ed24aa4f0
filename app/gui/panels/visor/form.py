"""The form of one annotation: name, class, exhaustiveness, contact, worn on."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON, Value
from app.gui.panels.objects import ClassEdit
from app.gui.widgets.fields import keep_from_wheel
from app.session.edits.objects import ObjectEdits
from app.session.visor.attributes import (
    EXHAUSTIVE_VALUES,
    WORN_VALUES,
    AttributeEdits,
    Row,
)


class AttributeForm(QWidget):
    """Shows and changes what is said of the selected object on the current frame."""

    def __init__(self, objects: ObjectEdits, attributes: AttributeEdits) -> None:
        super().__init__()
        self._objects, self._attributes = objects, attributes
        self._row: Row | None = None
        self._labels: list[QLabel] = []
        self.name, self.kind = ClassEdit(objects, self), ClassEdit(objects, self)
        self.exhaustive, self.contact, self.worn_on = QComboBox(), QComboBox(), QComboBox()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(4)
        for place, (text, field) in enumerate(
            (
                (self.tr("Name"), self.name),
                (self.tr("Class"), self.kind),
                (self.tr("Exh."), self.exhaustive),
                (self.tr("Contact"), self.contact),
                (self.tr("Worn on"), self.worn_on),
            )
        ):
            field.setAccessibleName(text)
            field.setMinimumHeight(24)
            label = QLabel(text)
            label.setBuddy(field)
            layout.addWidget(label, place // 2, place % 2 * 2)
            layout.addWidget(field, place // 2, place % 2 * 2 + 1)
            self._labels.append(label)
        layout.setColumnStretch(1, 2)
        layout.setColumnStretch(3, 3)
        for box, name in (
            (self.exhaustive, EXHAUSTIVE),
            (self.contact, CONTACT),
            (self.worn_on, WORN_ON),
        ):
            keep_from_wheel(box)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(6)
            box.activated.connect(self._saying(box, name))
        self.name.setToolTip(self.tr("The open-vocabulary name; it tells objects apart"))
        self.kind.setToolTip(self.tr("One of the 305 noun classes of EPIC-KITCHENS-100"))
        for edit in (self.name, self.kind):
            edit.editingFinished.connect(self._on_typed)
            edit.chosen.connect(self._on_typed)
        self.show_row(None)

    def show_row(self, row: Row | None) -> None:
        """Show what is said of one annotation; None = of none."""
        before, self._row = self._row, row
        same = row is not None and before is not None and row.info.id == before.info.id
        self.setEnabled(row is not None)
        for edit, text in (
            (self.name, row.info.name if row else ""),
            (self.kind, row.class_name if row else ""),
        ):
            # What is being typed stays, but never goes to another object.
            if not (same and edit.hasFocus() and edit.isModified()):
                edit.setText(text)
        self._offer(
            self.exhaustive, EXHAUSTIVE_VALUES if row else (), row.exhaustive if row else None
        )
        touches = row is not None and (row.is_hand or row.is_glove)
        answers = self._attributes.answers(row) if row is not None and touches else ()
        self._offer(self.contact, answers, row.contact if row else None)
        is_glove = row is not None and row.is_glove
        self._offer(self.worn_on, WORN_VALUES if is_glove else (), row.worn_on if row else None)
        for at, box, shown in ((3, self.contact, touches), (4, self.worn_on, is_glove)):
            self._labels[at].setVisible(shown)
            box.setVisible(shown)

    def _offer(self, box: QComboBox, values: Iterable[Value], now: Value) -> None:
        if box.view().isVisible():  # a person is choosing
            return
        given = list(values)
        if given and now not in given:  # what the file says may be anything
            given.append(now)
        box.clear()
        for value in given:
            box.addItem(self._attributes.text(value), (value,))
        box.setCurrentIndex(given.index(now) if given else -1)

    def _saying(self, box: QComboBox, name: str) -> Callable[[int], None]:
        def say(place: int) -> None:
            data = box.itemData(place)
            if self._row is not None and data is not None:
                self._attributes.say(name, data[0], (self._row.info.id,))

        return say

    @Slot()
    def _on_typed(self) -> None:
        row = self._row
        if row is None:
            return
        self.name.setModified(False)
        self.kind.setModified(False)
        if self.name.text().strip() != row.info.name:
            self._objects.rename(row.info.id, self.name.text())
        if self.kind.text().strip() != row.class_name and not self._objects.classify(
            row.info.id, self.kind.text()
        ):
            self.kind.setText(row.class_name)
