"""The tool bar from which masks are propagated: which way, which objects, how far, which model."""

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QToolBar, QToolButton, QWidget

from app.gui.widgets.fields import fill_options, keep_from_wheel
from app.gui.widgets.theme import icon
from app.session.choices import Option, best_models, models_for
from app.session.state.preferences import Preferences
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from models.api import Quality

_MORE = "…"  # no name of a model


class PropagateBar(QToolBar):
    """Choices that hold for every propagation, and the buttons that start one."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._preferences = video, view, preferences
        self.setWindowTitle(self.tr("Propagate"))
        self.setObjectName("propagate_bar")
        self._objects = _choice(
            self.tr("Which objects are propagated; locked ones never are"),
            [self.tr("All objects"), self.tr("Selected")],
        )
        self._reach = _choice(
            self.tr("How far: up to the nearest anchor, or past the anchors to the end"),
            [self.tr("to nearest anchor"), self.tr("to the end")],
        )
        self._model = _choice(self.tr("The model that propagates"), [])
        self._model.activated.connect(self._on_model_chosen)
        self._sharpener = QToolButton()
        self._sharpener.setIcon(icon("mdi6.creation-outline"))
        self._sharpener.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._sharpeners = QMenu(self._sharpener)
        self._sharpeners.setToolTipsVisible(True)
        self._sharpeners.triggered.connect(self._on_sharpener_chosen)
        self._sharpener.setMenu(self._sharpeners)
        self._sharpener.setCheckable(True)
        tip = self.tr(
            "How finely lite and Cutie look at a frame: quick takes 0.6 of the time, fine 1.6, "
            "finest 2.3 times as long"
        )
        levels = [self.tr("Quick"), self.tr("Normal"), self.tr("Fine"), self.tr("Finest")]
        self._quality = _choice(tip, levels)
        self._quality.activated.connect(self._on_quality_chosen)
        self._range = QLabel()
        view.range_changed.connect(self._show_range)
        video.opened.connect(self._show_range)
        preferences.changed.connect(self._show_model)
        video.opened.connect(self._fill_models)
        preferences.weights_changed.connect(self._fill_models)

    def set_actions(
        self, buttons: Iterable[QAction], clear_range: QAction, models: QAction
    ) -> None:
        """Lay the bar out, with the actions as buttons that show their names.

        `models` is what a person does who wants another model than those that are here.
        """
        self._more_models = models
        for action in buttons:
            self.addAction(action)
            button = self.widgetForAction(action)
            if isinstance(button, QToolButton):
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.addSeparator()
        for widget in (self._objects, self._reach):
            self.addWidget(widget)
        self._range_item = self.addWidget(self._range)
        self._clear_range = clear_range
        self.addSeparator()
        self.addWidget(QLabel(self.tr("Model ")))
        self.addWidget(self._model)
        self.addWidget(self._sharpener).setIcon(self._sharpener.icon())
        self.addWidget(self._quality)
        self._show_range()

    @property
    def to_nearest_anchor(self) -> bool:
        """Whether a propagation stops at the nearest anchor."""
        return self._reach.currentIndex() == 0

    def objects(self) -> tuple[int, ...] | None:
        """Return the objects to propagate, None for all that are not locked."""
        selected = self._view.selected
        if self._objects.currentIndex() == 0 or selected is None:
            return None
        return (selected,)

    @Slot()
    def _show_range(self) -> None:
        first, last = self._view.in_point, self._view.out_point
        last = self._video.frame_count - 1 if last is None else last
        limited = self._view.in_point is not None or self._view.out_point is not None
        text = self.tr("in {}, out {}").format(first or 0, last) if limited else ""
        self._range.setText(text)
        self._range.setToolTip(self.tr("Only this range is filled; Ctrl+Shift+X clears it"))

    @Slot()
    def _show_model(self) -> None:
        if self._video.is_open:
            best, _ = best_models(self._preferences.settings)
            self._model.setItemText(0, self.tr("best here: {}").format(best))
        row = self._model.findData(self._preferences.settings.tracker)
        self._model.setCurrentIndex(max(0, row))
        chosen = self._preferences.settings.sharpener
        for action in self._sharpeners.actions():
            action.setChecked(action.data() == chosen)
        self._sharpener.setChecked(bool(chosen))
        how = self.tr("by {}").format(chosen) if chosen else self.tr("not")
        tip = self.tr("Each mask is sharpened on the way: {}. It takes time on every frame")
        self._sharpener.setToolTip(tip.format(how))
        self._sharpener.setAccessibleName(tip.format(how))
        self._show_quality()

    def _show_quality(self) -> None:
        settings = self._preferences.settings
        self._quality.setCurrentIndex(list(Quality).index(Quality(settings.quality)))
        self._quality.setEnabled(not settings.size)  # a size that was chosen counts instead

    @Slot()
    def _fill_models(self) -> None:
        # Which models there are is looked up when a video opens: the empty window need not wait.
        if self._video.is_open:
            self._model.clear()
            tip = self.tr("The best model that is on this machine and suits it")
            more = Option(_MORE, self.tr("More models…"), self._more_models.toolTip())
            fill_options(self._model, (Option("", "", tip), *models_for("trackers"), more))
            self._model.insertSeparator(self._model.count() - 1)
            self._sharpeners.clear()
            alone = self.tr("Masks stay as the tracker makes them")
            for each in (Option("", self.tr("Not sharpened"), alone), *models_for("segmenters")):
                action = self._sharpeners.addAction(each.label)
                action.setData(each.value)
                action.setCheckable(True)
                action.setToolTip(each.lacks or each.about)
                action.setEnabled(not each.lacks)
            self._sharpeners.addSeparator()
            self._sharpeners.addAction(self._more_models)
            self._show_model()

    @Slot(int)
    def _on_model_chosen(self, row: int) -> None:
        name = self._model.itemData(row)
        if name == _MORE:
            self._show_model()
            self._more_models.trigger()
            return
        self._preferences.apply(replace(self._preferences.settings, tracker=name))

    @Slot(QAction)
    def _on_sharpener_chosen(self, action: QAction) -> None:
        if action is self._more_models:
            return  # it does by itself what it is for
        name = action.data()
        self._preferences.apply(replace(self._preferences.settings, sharpener=name))

    @Slot(int)
    def _on_quality_chosen(self, row: int) -> None:
        value = list(Quality)[row].value
        self._preferences.apply(replace(self._preferences.settings, quality=value))


def _choice(tip: str, texts: list[str]) -> QComboBox:
    box = QComboBox()
    keep_from_wheel(box)
    box.addItems(texts)
    box.setToolTip(tip)
    box.setAccessibleName(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
