"""The settings dialog, built from the table of settings."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.gui.widgets.fields import fill_options, keep_from_wheel
from app.gui.widgets.theme import icon
from app.session import choices
from app.session.choices import Preference, changed
from app.session.state.preferences import Preferences

Editor = QCheckBox | QComboBox | QSpinBox | QDoubleSpinBox | QLineEdit
Value = str | int | float | bool
_WIDTH, _LABEL_WIDTH = 260, 190


class SettingsDialog(QDialog):
    """Every setting, by group; a change holds at once."""

    models_asked = Signal()  # the person wants other models than those that are here

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._table = choices.preferences()
        self._editors: dict[str, Editor] = {}
        self._rows: list[tuple[str, QFormLayout, Editor]] = []
        self._sections: list[tuple[QLabel, QFormLayout]] = []
        self.setWindowTitle(self.tr("Settings"))
        self.resize(600, 660)
        self._find = QLineEdit()
        self._find.setPlaceholderText(self.tr("Find a setting"))
        self._find.setAccessibleName(self.tr("Find a setting"))
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._filter)
        area = QScrollArea()
        area.setWidget(self._make_page())
        area.setWidgetResizable(True)
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Close | standard.RestoreDefaults)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)  # Enter ends a field; it presses no button
        buttons.button(standard.RestoreDefaults).clicked.connect(self._restore)
        more = buttons.addButton(self.tr("Models…"), QDialogButtonBox.ButtonRole.ActionRole)
        more.setAutoDefault(False)
        more.setToolTip(self.tr("Fetch models that are not on this machine yet"))
        more.clicked.connect(self.models_asked)
        layout = QVBoxLayout(self)
        layout.addWidget(self._find)
        layout.addWidget(area)
        layout.addWidget(buttons)
        preferences.changed.connect(self._show_values)
        preferences.weights_changed.connect(self._fill_models)

    def editor(self, name: str) -> Editor:
        """Return the widget that edits a setting."""
        return self._editors[name]

    def _make_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        for group in dict.fromkeys(preference.group for preference in self._table):
            heading = QLabel(_tr(group))
            heading.setObjectName("section")
            form = QFormLayout()
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
            form.setContentsMargins(0, 0, 0, 14)
            form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            for preference in self._table:
                if preference.group == group:
                    self._add_row(form, preference)
            layout.addWidget(heading)
            layout.addLayout(form)
            self._sections.append((heading, form))
        layout.addStretch(1)
        return page

    def _add_row(self, form: QFormLayout, preference: Preference) -> None:
        editor = _editor_for(preference)
        keep_from_wheel(editor)
        editor.setFixedWidth(_WIDTH)
        editor.setToolTip(_tr(preference.tooltip))
        editor.setAccessibleName(_tr(preference.label))
        editor.setAccessibleDescription(_tr(preference.tooltip))
        name = preference.name
        if isinstance(editor, QLineEdit):
            self._add_browse(editor, name)
        _show(editor, getattr(self._preferences.settings, name))
        _on_change(editor, lambda value: self._apply(name, value))
        label = QLabel(_tr(preference.label))
        label.setToolTip(_tr(preference.tooltip))
        label.setFixedWidth(_LABEL_WIDTH)
        label.setWordWrap(True)
        label.setBuddy(editor)
        form.addRow(label, editor)
        self._editors[name] = editor
        words = f"{label.text()} {_tr(preference.tooltip)} {_tr(preference.group)}"
        self._rows.append((words.casefold(), form, editor))

    def _add_browse(self, field: QLineEdit, name: str) -> None:
        """Let the person choose a folder instead of typing one."""
        where = QLineEdit.ActionPosition.TrailingPosition
        browse = field.addAction(icon("mdi6.folder-open-outline"), where)
        browse.setText(self.tr("Browse…"))
        browse.setToolTip(self.tr("Browse for a folder"))

        def choose() -> None:
            title = self.tr("Folder for projects")
            if chosen := QFileDialog.getExistingDirectory(self, title, field.text()):
                self._apply(name, chosen)

        browse.triggered.connect(choose)

    def _apply(self, name: str, value: Value) -> None:
        if getattr(self._preferences.settings, name) != value:
            self._preferences.apply(changed(self._preferences.settings, {name: value}))

    @Slot()
    def _restore(self) -> None:
        values = {preference.name: preference.default for preference in self._table}
        self._preferences.apply(changed(self._preferences.settings, values))

    @Slot()
    def _show_values(self) -> None:
        for name, editor in self._editors.items():
            editor.blockSignals(True)
            _show(editor, getattr(self._preferences.settings, name))
            editor.blockSignals(False)

    @Slot()
    def _fill_models(self) -> None:
        """Offer the models that are on this machine now."""
        for preference in choices.preferences():
            editor = self._editors[preference.name]
            if isinstance(editor, QComboBox) and preference.options:
                editor.blockSignals(True)
                editor.clear()
                fill_options(editor, preference.options)
                editor.blockSignals(False)
        self._show_values()

    @Slot(str)
    def _filter(self, text: str) -> None:
        wanted = text.casefold()
        for words, form, editor in self._rows:
            form.setRowVisible(editor, wanted in words)
        for heading, form in self._sections:
            rows = range(form.rowCount())
            heading.setVisible(any(form.isRowVisible(row) for row in rows))


def _editor_for(preference: Preference) -> Editor:
    default = preference.default
    if isinstance(default, bool):
        return QCheckBox()
    if isinstance(default, int):
        whole = QSpinBox()
        whole.setRange(int(preference.low), int(preference.high))
        whole.setSuffix(f" {preference.unit}" if preference.unit else "")
        whole.setSpecialValueText(_tr(preference.lowest) if preference.lowest else "")
        # A number that is typed holds when it is complete, not after each digit.
        whole.setKeyboardTracking(False)
        return whole
    if isinstance(default, float):
        real = QDoubleSpinBox()
        real.setRange(preference.low, preference.high)
        real.setSingleStep((preference.high - preference.low) / 50)
        real.setDecimals(2 if preference.high > 1 else 3)
        real.setSuffix(f" {preference.unit}" if preference.unit else "")
        real.setKeyboardTracking(False)
        return real
    if preference.options:
        box = QComboBox()
        fill_options(box, preference.options)
        return box
    return QLineEdit()


def _show(editor: Editor, value: Value) -> None:
    match editor:
        case QCheckBox():
            editor.setChecked(bool(value))
        case QSpinBox():
            editor.setValue(int(value))
        case QDoubleSpinBox():
            editor.setValue(float(value))
        case QComboBox():
            if editor.findData(value) < 0:
                editor.addItem(str(value), value)
            editor.setCurrentIndex(editor.findData(value))
        case QLineEdit():
            editor.setText(str(value))


def _on_change(editor: Editor, apply: Callable[[Value], None]) -> None:
    match editor:
        case QCheckBox():
            editor.toggled.connect(apply)
        case QSpinBox() | QDoubleSpinBox():
            editor.valueChanged.connect(apply)
        case QComboBox():
            editor.activated.connect(lambda row: apply(editor.itemData(row)))
        case QLineEdit():
            editor.editingFinished.connect(lambda: apply(editor.text()))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
