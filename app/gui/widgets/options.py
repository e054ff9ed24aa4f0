"""The options of a combo box, those that cannot be used greyed with the reason."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox

from app.session.choices import Option


def fill_options(box: QComboBox, options: Iterable[Option]) -> None:
    """Add `options` to a combo box; the data of an item is the option's value."""
    for option in options:
        box.addItem(option.label, option.value)
        row = box.count() - 1
        box.setItemData(row, option.lacks or option.about, Qt.ItemDataRole.ToolTipRole)
        if option.lacks:
            model = box.model()
            if isinstance(model, QStandardItemModel):
                model.item(row).setEnabled(False)
