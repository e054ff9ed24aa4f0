"""The parts of the window: each widget, given the parts of the session that it uses."""

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QCoreApplication, QSettings
from PySide6.QtWidgets import QUndoView, QVBoxLayout, QWidget

from app.gui.canvas.canvas import Canvas
from app.gui.canvas.hud import Hud
from app.gui.canvas.mask_menu import open_menu
from app.gui.canvas.scene.comparison import caption
from app.gui.canvas.scene.picture import Picture
from app.gui.canvas.tools.brush import BrushTool
from app.gui.canvas.tools.polygon import PolygonTool
from app.gui.canvas.tools.prompts import BoxTool, PointsTool
from app.gui.canvas.tools.select import SelectTool
from app.gui.canvas.tools.target import EditTarget
from app.gui.canvas.tools.tool import Tool
from app.gui.canvas.tools.toolbox import Toolbox
from app.gui.inspect.inspection import InspectionPanels
from app.gui.panels.anchors import AnchorsPanel
from app.gui.panels.changes import ChangesPanel
from app.gui.panels.effort import EffortPanel
from app.gui.panels.find import FindPanel
from app.gui.panels.mask_bar import MaskBar
from app.gui.panels.objects import ObjectsPanel
from app.gui.panels.propagate_bar import PropagateBar
from app.gui.panels.review import ReviewPanel
from app.gui.panels.visor.panels import VisorPanels
from app.gui.panels.visor.tile import TileTools
from app.gui.timeline.menu import RangeMenu
from app.gui.timeline.playback import Player
from app.gui.timeline.timeline import Timeline
from app.gui.timeline.transport import Transport
from app.gui.widgets.exchange_menu import ExchangeMenu
from app.gui.widgets.messages import Messages
from app.gui.widgets.recent import RecentSources
from app.gui.window.status import StatusBar
from app.session.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class WindowParts:
    """The widgets of the window, and what plays and remembers beside them."""

    anchors: AnchorsPanel
    canvas: Canvas
    changes: ChangesPanel
    effort: EffortPanel
    find: FindPanel
    history: QUndoView
    inspection: InspectionPanels
    mask_bar: MaskBar
    messages: Messages
    objects: ObjectsPanel
    player: Player
    propagate: PropagateBar
    recent: RecentSources
    review: ReviewPanel
    status: StatusBar
    timeline: Timeline
    transport: Transport
    visor: VisorPanels

    def panels(self) -> list[tuple[str, str, QWidget]]:
        """Return name, title and widget of each panel that is docked."""

        def title(text: str) -> str:
            return QCoreApplication.translate("Window", text)

        return [
            ("timeline", title("Timeline"), _stacked(self.transport, self.timeline)),
            ("objects", title("Objects"), self.objects),
            ("review", title("Review"), self.review),
            ("anchors", title("Anchors"), self.anchors),
            ("changes", title("Changes"), self.changes),
            ("find", title("Find"), self.find),
            ("history", title("History"), self.history),
            ("effort", title("Effort"), self.effort),
            *self.inspection.panels(),
            *self.visor.panels(),
        ]


def make_parts(session: Session, store: QSettings, pages: QWidget, window: QWidget) -> WindowParts:
    """Return the parts of a window; messages lie over `pages`."""
    video, view, masks = session.video, session.view, session.masks
    preferences, canvas = session.preferences, make_canvas(session)
    return WindowParts(
        anchors=AnchorsPanel(video, view, masks),
        canvas=canvas,
        changes=ChangesPanel(video, masks, session.changes),
        effort=EffortPanel(masks, session.files.log),
        find=FindPanel(video, view, masks, session.objects, session.finding),
        history=_make_history(session),
        inspection=InspectionPanels(
            video,
            view,
            masks,
            session.inspection.runs,
            session.inspection.memory,
            session.inspection.agreement,
        ),
        mask_bar=MaskBar(preferences, canvas),
        messages=Messages(pages),
        objects=ObjectsPanel(video, view, masks, session.objects),
        player=Player(video, view, window),
        propagate=PropagateBar(video, view, preferences),
        recent=RecentSources(store, window),
        review=ReviewPanel(view, masks, session.review),
        status=StatusBar(video, session.jobs, session.files.autosave, preferences),
        timeline=make_timeline(session),
        transport=Transport(video, view),
        visor=_make_visor(session, canvas),
    )


def make_canvas(session: Session) -> Canvas:
    """Return the picture with its tools, the line over it and its context menu."""
    video, view, masks, edit = session.video, session.view, session.masks, session.edit
    picture = Picture(video, view, masks, session.compare)
    session.clicks.preview_changed.connect(picture.show_preview)
    session.clicks.waiting_changed.connect(picture.waiting.set_questions)
    session.correction.preview_changed.connect(picture.show_preview)
    _show_proposals(session, picture)
    _light_what_borders(session, picture)
    tools = _make_tools(session, picture)
    canvas = Canvas(
        video,
        view,
        picture,
        tools,
        partial(open_menu, view, masks, edit, session.inspection.memory.ask),
    )
    compared = partial(caption, session.compare)
    hud = Hud(video, view, masks, session.clicks, session.correction, picture, compared, canvas)
    session.compare.changed.connect(hud.refresh)
    return canvas


def _show_proposals(session: Session, picture: Picture) -> None:
    """Let the picture show what was found by words on its frame."""
    finding, masks = session.finding, session.masks

    def show(_frame: int = 0) -> None:
        found = finding.proposed(picture.frame)
        wanted = [each for each in found if not finding.is_left_out(each.key)]
        picture.proposals.set_proposals(wanted, masks.objects)

    finding.changed.connect(show)
    picture.frame_shown.connect(show)
    masks.objects_changed.connect(show)


def _light_what_borders(session: Session, picture: Picture) -> None:
    """Let the picture show what borders the selected hand, where its frame is on the screen."""

    def light(objects: tuple[int, ...]) -> None:
        shown = session.masks.shown(picture.frame) if picture.frame == session.view.frame else {}
        masks = (shown[number].mask for number in objects if number in shown)
        picture.lit.light([mask for mask in masks if mask is not None])

    session.files.exchange.visor.attributes.lit.connect(light)


def _make_tools(session: Session, picture: Picture) -> Toolbox:
    view, clicks = session.view, session.clicks
    target = EditTarget(picture, view, session.objects, session.compare, session.status)
    drawing = (view, session.masks, session.edit, session.files.autosave, picture, target)
    return Toolbox(
        select=SelectTool(view, picture),
        points=PointsTool(view, clicks, picture, target),
        box=BoxTool(view, clicks, picture, target),
        polygon=PolygonTool(*drawing, session.status),
        brushes=(BrushTool(*drawing, Tool.BRUSH), BrushTool(*drawing, Tool.ERASER)),
    )


def make_timeline(session: Session) -> Timeline:
    """Return the timeline with its menu of a range."""
    view, masks, edit, jobs = session.view, session.masks, session.edit, session.jobs
    exchange = partial(ExchangeMenu, masks, edit)
    menu = partial(RangeMenu, view, session.objects, edit, jobs, exchange)
    subsequences = session.files.exchange.visor.subsequences
    return Timeline(session.video, view, masks, jobs, session.review, subsequences, menu)


def _make_visor(session: Session, canvas: Canvas) -> VisorPanels:
    """Return the panels of VISOR, which correct with the tool that the picture has."""
    video, view, masks = session.video, session.view, session.masks
    objects, visor = session.objects, session.files.exchange.visor
    tools = TileTools(view, session.clicks, objects, session.compare, session.status)
    menu = partial(open_menu, view, masks, session.edit, session.inspection.memory.ask)
    panels = VisorPanels(video, view, masks, objects, menu, visor, session.preferences, tools)
    canvas.tool_changed.connect(panels.filmstrip.set_tool)
    return panels


def _stacked(upper: QWidget, lower: QWidget) -> QWidget:
    """Return a widget with one over the other, which takes what room is left."""
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(upper)
    layout.addWidget(lower, 1)
    return whole


def _make_history(session: Session) -> QUndoView:
    """Return the list of undo steps of whatever video is open."""
    history = QUndoView(session.history.group)
    history.setStyleSheet("QListView::item { min-height: 24px; }")
    history.setEmptyLabel(QCoreApplication.translate("Window", "As opened"))
    return history
