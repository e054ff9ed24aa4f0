"""The tool bar that says how masks lie over the picture."""

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QSlider, QToolBar, QWidget

from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.widgets.fields import keep_from_wheel
from app.session.state.preferences import Preferences


class MaskBar(QToolBar):
    """Mode and opacity of the overlay."""

    def __init__(
        self, preferences: Preferences, canvas: Canvas, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._canvas = canvas
        self.setWindowTitle(self.tr("Masks"))
        self.setObjectName("mask_bar")
        self._mode = QComboBox()
        keep_from_wheel(self._mode)
        self._mode.setAccessibleName(self.tr("How masks lie over the picture"))
        self._mode.setToolTip(self.tr("How masks lie over the picture"))
        for mode in OverlayMode:
            self._mode.addItem(self.tr(mode.value), mode)
        # The bars of a laptop's window are full; the list itself is as wide as its words.
        self._mode.setMinimumContentsLength(9)
        self._mode.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._mode.view().setMinimumWidth(self._mode.view().sizeHintForColumn(0) + 24)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setFixedWidth(90)
        self._opacity.setToolTip(self.tr("Opacity of the masks"))
        self._opacity.setAccessibleName(self.tr("Opacity of the masks"))
        self.addWidget(QLabel(self.tr("Masks ")))
        self.addWidget(self._mode)
        self.addWidget(self._opacity)
        self._group = QActionGroup(self)
        canvas.mode_changed.connect(self.refresh)
        self._mode.activated.connect(self._on_mode_chosen)
        self._opacity.valueChanged.connect(self._on_opacity_moved)
        self._opacity.sliderReleased.connect(self._keep_opacity)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what the canvas does now."""
        self._mode.setCurrentIndex(self._mode.findData(self._canvas.mode))
        self._opacity.blockSignals(True)
        self._opacity.setValue(round(100 * self._canvas.opacity))
        self._opacity.blockSignals(False)
        for action in self._group.actions():
            action.setChecked(action.data() is self._canvas.mode)

    def menu(self, title: str, parent: QWidget) -> QMenu:
        """Return a menu that chooses the mode."""
        menu = QMenu(title, parent)
        for mode in OverlayMode:
            action = QAction(self.tr(mode.value), menu)
            action.setCheckable(True)
            action.setData(mode)
            self._group.addAction(action)
            menu.addAction(action)
        self._group.triggered.connect(self._on_menu_chosen)
        menu.aboutToShow.connect(self.refresh)
        return menu

    @Slot(int)
    def _on_mode_chosen(self, row: int) -> None:
        self._canvas.set_mode(self._mode.itemData(row))

    @Slot(QAction)
    def _on_menu_chosen(self, action: QAction) -> None:
        self._canvas.set_mode(action.data())
        self.refresh()

    @Slot(int)
    def _on_opacity_moved(self, percent: int) -> None:
        self._canvas.set_opacity(percent / 100)
        if not self._opacity.isSliderDown():
            self._keep_opacity()

    @Slot()
    def _keep_opacity(self) -> None:
        # Settings are written at every change, so not while the slider is being dragged.
        opacity = self._opacity.value() / 100
        self._preferences.apply(replace(self._preferences.settings, overlay_opacity=opacity))
