"""The curves of the runs: how well each follows an object, frame by frame."""

import enum
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.colors import Rgb
from app.core.document import Key
from app.core.inspection.results import Result
from app.core.runs import RunKind
from app.gui.inspect.palette import EXTRA, FAILURE_COLORS, TRUTH, object_color, run_color
from app.session.runs.agreement import Agreement
from app.session.runs.runs import Runs
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

if TYPE_CHECKING:
    from app.gui.inspect.curves.plot import Plot, Series


class Curve(enum.Enum):
    """What is drawn over frames; the value is what a person reads."""

    JF = QT_TRANSLATE_NOOP("Curve", "J&F")
    J = QT_TRANSLATE_NOOP("Curve", "J (region)")
    F = QT_TRANSLATE_NOOP("Curve", "F (boundary)")
    AREA = QT_TRANSLATE_NOOP("Curve", "Area, % of the frame")
    SCORE = QT_TRANSLATE_NOOP("Curve", "Score of the present masks")
    APART = QT_TRANSLATE_NOOP("Curve", "Disagreement of runs, 1 - IoU")


_ALL = 0  # stands for all objects, of the run that is looked at


class Curves(QWidget):
    """The plot with the choice of measure and object. A click goes there, a drag marks in to out.

    The plot itself is made when it is shown first: its library is slow to load.
    """

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        runs: Runs,
        agreement: Agreement,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks, self._runs = video, view, masks, runs
        self._agreement = agreement
        self._all = False  # objects are drawn, of the shown run alone
        self._plot: Plot | None = None
        self._curve, self._object = QComboBox(), QComboBox()
        self._curve.setAccessibleName(self.tr("Measure"))
        self._object.setAccessibleName(self.tr("Object"))
        for curve in Curve:
            self._curve.addItem(QCoreApplication.translate("Curve", str(curve.value)), curve)
        self._legend = QLabel()
        self._legend.setObjectName("dim")
        top = QHBoxLayout()
        top.addWidget(self._curve)
        top.addWidget(self._object)
        top.addWidget(self._legend, 1)
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(6, 0, 6, 4)
        self._body.setSpacing(4)
        self._body.addLayout(top)
        self._curve.currentIndexChanged.connect(self.refresh)
        self._object.activated.connect(self._on_object_chosen)
        video.opened.connect(self._on_opened)
        runs.changed.connect(self.refresh)
        runs.measured.connect(self.refresh)
        agreement.changed.connect(self.refresh)
        view.frame_changed.connect(self._on_frame_changed)
        view.range_changed.connect(self._on_range_changed)
        masks.document_changed.connect(self._on_document_changed)

    @property
    def curve(self) -> Curve:
        """What is drawn."""
        return Curve(self._curve.currentData())

    @property
    def plot(self) -> "Plot | None":
        """The plot, once it was shown."""
        return self._plot

    def series(self) -> list["Series"]:
        """Return what is drawn of the chosen object."""
        from app.gui.inspect.curves.plot import Series  # noqa: PLC0415 - slow to load

        number = self._runs.object
        if number is None:
            return []
        if self.curve is Curve.SCORE:
            return [self._scores(number)]
        if self.curve is Curve.APART:
            return self._apart()
        if self._all:
            return self._objects_of_shown(number)
        infos, results = self._runs.infos, self._runs.results
        drawn = []
        for run, result in results.items():
            if number <= len(result.objects):
                shown = run == self._runs.shown
                values = _values(self.curve, result, number - 1)
                frames = np.array(result.positions, np.int64)
                drawn.append(
                    Series(
                        infos[run].name, self._color(run), frames, values, result.is_sparse, shown
                    )
                )
        if self.curve is Curve.AREA and drawn:
            result = next(iter(results.values()))
            area = _share(result, result.measures.truth_area[:, number - 1])
            frames = np.array(result.positions, np.int64)
            truth = Series(self.tr("ground truth"), TRUTH, frames, area, result.is_sparse)
            drawn.append(truth)
        return sorted(drawn, key=lambda each: each.strong)

    @Slot()
    def refresh(self) -> None:
        """Draw everything as it is now."""
        self._fill_objects()
        if self._plot is None:
            return
        series = self.series()
        limits = None if self.curve is Curve.AREA else (0.0, 1.0)
        self._plot.show_series(series, limits)
        self._plot.show_stretches(self._stretches())
        self._on_frame_changed(self._view.frame)
        self._on_range_changed()
        self._legend.setText(self._legend_text(series))

    def showEvent(self, event: QShowEvent) -> None:
        """Make the plot when it is needed first."""
        super().showEvent(event)
        if self._plot is None:
            from app.gui.inspect.curves.plot import Plot  # noqa: PLC0415 - slow to load

            self._plot = Plot()
            self._plot.frame_asked.connect(self._view.go_to)
            self._plot.range_asked.connect(self._view.set_range)
            self._body.addWidget(self._plot, 1)
            self._on_opened()

    def _objects_of_shown(self, number: int) -> list["Series"]:
        """Return the shown run's curve of every object, that of `number` strong."""
        from app.gui.inspect.curves.plot import Series  # noqa: PLC0415 - slow to load

        result = self._runs.results.get(self._runs.shown or 0)
        if result is None:
            return []
        frames, known = np.array(result.positions, np.int64), self._masks.objects
        colors = {info.id: info.color for info in known}
        drawn = [
            Series(
                name, colors.get(place + 1, object_color(place + 1)), frames,
                _values(self.curve, result, place), result.is_sparse, place + 1 == number,
            )
            for place, name in enumerate(result.objects)
        ]  # fmt: skip
        return sorted(drawn, key=lambda each: each.strong)

    def _apart(self) -> list["Series"]:
        """Return how far the shown run is from each other prediction; no ground truth is needed."""
        from app.gui.inspect.curves.plot import Series  # noqa: PLC0415 - slow to load

        infos = self._runs.infos
        return [
            Series(
                infos[other].name, self._color(other), apart.frames, apart.values,
                len(apart.frames) < self._video.frame_count,
            )
            for other, apart in self._agreement.of_shown().items()
        ]  # fmt: skip

    def _scores(self, number: int) -> "Series":
        """Return how likely the present masks are right; 0 where two directions disagree."""
        from app.gui.inspect.curves.plot import Series  # noqa: PLC0415 - slow to load

        entries = self._masks.document.of_object(number)
        known = {
            frame: 0.0 if entry.conflict else sure
            for frame, entry in sorted(entries.items())
            if (sure := self._masks.confidence(entry)) is not None or entry.conflict
        }
        return Series(
            self.tr("present masks (0 where forward and backward disagree)"),
            EXTRA,
            np.array(list(known), np.int64),
            np.array(list(known.values()), np.float64),
        )

    def _stretches(self) -> list[tuple[int, int, Rgb, int]]:
        """Return the episodes of the chosen object, in the colours of their failures."""
        result = self._runs.results.get(self._runs.shown or 0)
        if result is None or self.curve is Curve.SCORE:
            return []
        return [
            (
                result.positions[episode.first],
                result.positions[episode.last],
                FAILURE_COLORS[episode.failure],
                46,
            )
            for episode in result.episodes
            if episode.object + 1 == self._runs.object
        ]

    def _legend_text(self, series: list["Series"]) -> str:
        if not series:
            if self.curve is Curve.APART:
                return self.tr("Keep or import a second prediction: say, the other direction's.")
            if self._runs.truth is None:
                return self.tr("Import a ground truth as a run to measure against it.")
            return self.tr("Import or keep a prediction as a run to measure it.")
        parts = [
            f'<span style="color: rgb{each.color}">■</span> '
            + (f"<b>{each.name}</b>" if each.strong else each.name)
            + (f" {np.nanmean(each.values):.3f}" if self._is_score and len(each.values) else "")
            for each in reversed(series)
        ]
        return "&nbsp;&nbsp; ".join(parts)

    @property
    def _is_score(self) -> bool:
        return self.curve in {Curve.JF, Curve.J, Curve.F, Curve.APART}

    def _color(self, run: int) -> Rgb:
        infos = self._runs.infos
        return run_color(run, [n for n in infos if infos[n].kind is RunKind.PREDICTION])

    def _fill_objects(self) -> None:
        objects = self._runs.objects
        listed = {self._object.itemData(i): self._object.itemText(i) for i in range(len(self) - 1)}
        if listed != objects:
            self._object.clear()
            for number, name in objects.items():
                self._object.addItem(name, number)
            self._object.addItem(self.tr("all objects"), _ALL)
        self._object.setVisible(len(objects) > 1)
        shown = _ALL if self._all else self._runs.object
        self._object.setCurrentIndex(self._object.findData(shown))

    def __len__(self) -> int:
        return self._object.count()

    @Slot(int)
    def _on_object_chosen(self, row: int) -> None:
        self._all = self._object.itemData(row) == _ALL
        if not self._all:
            self._runs.select(self._object.itemData(row))
        self.refresh()

    @Slot()
    def _on_opened(self) -> None:
        if self._plot is not None:
            self._plot.set_frames(self._video.frame_count)
        self.refresh()

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        if self._plot is not None:
            self._plot.show_frame(frame)

    @Slot()
    def _on_range_changed(self) -> None:
        if self._plot is not None:
            self._plot.show_range(self._view.in_point, self._view.out_point)

    @Slot(object)
    def _on_document_changed(self, keys: frozenset[Key]) -> None:
        if self.curve is Curve.SCORE and any(key.object == self._runs.object for key in keys):
            self.refresh()


def _values(
    curve: Curve, result: Result, place: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    measures = result.measures
    match curve:
        case Curve.J:
            found = measures.j[:, place]
        case Curve.F:
            found = measures.f[:, place]
        case Curve.AREA:
            found = _share(result, measures.area[:, place])
        case _:
            found = measures.jf[:, place]
    return np.asarray(found, np.float64)


def _share(
    result: Result, area: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return areas in percent of the frame."""
    return np.asarray(100 * area / result.measures.overlap[0].sum(), np.float64)
