"""The composition of the window: each widget and verb is given the parts of the session it uses."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolBar, QUndoView, QVBoxLayout, QWidget

from app.gui.actions.actions import Actions
from app.gui.actions.context import ActionContext, Panels
from app.gui.actions.needs import Situation
from app.gui.actions.verbs.correct import CorrectVerbs
from app.gui.actions.verbs.files.dataset import DataSetVerbs
from app.gui.actions.verbs.files.exchange import ExchangeVerbs, Tell
from app.gui.actions.verbs.files.files import FileVerbs
from app.gui.actions.verbs.files.runs import RunVerbs
from app.gui.actions.verbs.look import LookVerbs
from app.gui.actions.verbs.masks import MaskVerbs
from app.gui.actions.verbs.objects import ObjectVerbs
from app.gui.actions.verbs.propagate import PropagateVerbs
from app.gui.actions.verbs.review import ReviewVerbs
from app.gui.actions.verbs.spans.anchors import AnchorVerbs
from app.gui.actions.verbs.spans.block import BlockVerbs
from app.gui.actions.verbs.spans.jobs import JobVerbs
from app.gui.actions.verbs.travel import TravelVerbs
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
from app.gui.dialogs.ask import Ask
from app.gui.dialogs.export import ExportDialog
from app.gui.inspect.inspection import Inspection
from app.gui.panels.anchors import AnchorsPanel
from app.gui.panels.objects import ObjectsPanel
from app.gui.panels.propagate_bar import PropagateBar
from app.gui.panels.review import ReviewPanel
from app.gui.timeline.menu import RangeMenu
from app.gui.timeline.playback import Follower, Player
from app.gui.timeline.timeline import Timeline
from app.gui.timeline.transport import Transport
from app.gui.widgets.exchange_menu import ExchangeMenu
from app.gui.widgets.recent import RecentSources
from app.gui.window.status import StatusBar
from app.session.session import Session
from app.session.state.status import SessionState

TOOLS = {
    Tool.POINTS: "tool_points",
    Tool.BOX: "tool_box",
    Tool.BRUSH: "tool_brush",
    Tool.ERASER: "tool_eraser",
    Tool.POLYGON: "tool_polygon",
    Tool.SELECT: "tool_select",
}


def make_canvas(session: Session) -> Canvas:
    """Return the picture with its tools, the line over it and its context menu."""
    video, view, masks, edit = session.video, session.view, session.masks, session.edit
    picture = Picture(video, view, masks, session.compare)
    session.clicks.preview_changed.connect(picture.show_preview)
    session.clicks.waiting_changed.connect(picture.waiting.set_questions)
    session.correction.preview_changed.connect(picture.show_preview)
    tools = _make_tools(session, picture)
    canvas = Canvas(video, view, picture, tools, partial(open_menu, view, masks, edit))
    compared = partial(caption, session.compare)
    hud = Hud(video, view, masks, session.clicks, session.correction, picture, compared, canvas)
    session.compare.changed.connect(hud.refresh)
    return canvas


def _make_tools(session: Session, picture: Picture) -> Toolbox:
    view, clicks = session.view, session.clicks
    target = EditTarget(picture, view, session.objects, session.compare, session.status)
    drawing = (view, session.masks, session.edit, session.files.autosave, picture, target)
    return Toolbox(
        select=SelectTool(view, picture),
        points=PointsTool(view, clicks, picture, target),
        box=BoxTool(clicks, picture, target),
        polygon=PolygonTool(*drawing),
        brushes=(BrushTool(*drawing, Tool.BRUSH), BrushTool(*drawing, Tool.ERASER)),
    )


def make_timeline(session: Session) -> Timeline:
    """Return the timeline with its menu of a range."""
    view, masks, edit, jobs = session.view, session.masks, session.edit, session.jobs
    exchange = partial(ExchangeMenu, masks, edit)
    menu = partial(RangeMenu, view, session.objects, edit, jobs, exchange)
    return Timeline(session.video, view, masks, jobs, session.review, menu)


def stacked(upper: QWidget, lower: QWidget) -> QWidget:
    """Return a widget with one over the other, which takes what room is left."""
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(upper)
    layout.addWidget(lower, 1)
    return whole


def make_objects_panel(session: Session) -> ObjectsPanel:
    """Return the list of objects."""
    return ObjectsPanel(session.video, session.view, session.masks, session.objects)


def make_inspection(session: Session) -> Inspection:
    """Return the panels that compare runs with a ground truth."""
    inspector = session.inspector
    return Inspection(
        session.video,
        session.view,
        session.masks,
        session.runs,
        inspector.memory,
        inspector.agreement,
    )


def make_history(session: Session, empty_label: str) -> QUndoView:
    """Return the list of undo steps of whatever video is open."""
    history = QUndoView(session.history.group)
    history.setStyleSheet("QListView::item { min-height: 24px; }")
    history.setEmptyLabel(empty_label)
    return history


def make_status_bar(session: Session) -> StatusBar:
    """Return the status bar."""
    return StatusBar(session.video, session.jobs, session.files.autosave, session.preferences)


def ask_before_models(session: Session, ask: Ask) -> None:
    """Have the person asked before other models end the running job."""

    def agrees() -> bool:
        title, _ = session.jobs.running
        if not title:
            return True
        translate = QCoreApplication.translate
        return ask.confirm(
            translate("Window", "{} is under way.").format(title),
            translate("Window", "Other models end it. What is finished is kept."),
            translate("Window", "&End it"),
        )

    session.preferences.ask_before_models(agrees)


def follow_propagations(session: Session, parent: QObject) -> Follower:
    """Let the view go along with a propagation where the person has chosen so."""
    preferences = session.preferences
    return Follower(
        session.view,
        session.jobs,
        session.status,
        session.history,
        parent,
        wanted=lambda: preferences.settings.follow_playhead,
    )


def make_context(
    session: Session,
    canvas: Canvas,
    player: Player,
    panels: Panels,
    *,
    anchors: AnchorsPanel,
    objects: ObjectsPanel,
    review: ReviewPanel,
    propagate: PropagateBar,
    inspection: Inspection,
    ask: Ask,
    recent: RecentSources,
    tell: Tell,
    sample: Callable[[], Path] | None,
    show_jobs: Callable[[], None],
) -> ActionContext:
    """Return the verbs that the rows of the action table call."""
    video, view, masks, edit = session.video, session.view, session.masks, session.edit
    compare, correction, jobs = session.compare, session.correction, session.jobs
    dialog = partial(ExportDialog, masks, session.status)
    exchange_verbs = ExchangeVerbs(video, session.exchange, compare, ask, tell, dialog)
    preferences = session.preferences
    files = FileVerbs(
        video, session.files, session.files.autosave, exchange_verbs, ask, recent, tell, sample
    )
    job_verbs = JobVerbs(jobs, tell, show_jobs)
    review_verbs = _make_review_verbs(session, canvas, review, tell)
    return ActionContext(
        anchors=AnchorVerbs(view, masks, session.status, edit, anchors),
        block=BlockVerbs(view, masks, session.status, session.objects, edit, session.ranges, jobs),
        canvas=canvas,
        player=player,
        files=files,
        data_set=DataSetVerbs(session.inspector.data_set, video, view, files, ask, panels.inspect),
        correct=CorrectVerbs(
            correction, session.clicks, session.history, job_verbs, canvas, review_verbs
        ),
        exchange=exchange_verbs,
        jobs=job_verbs,
        look=LookVerbs(view, compare, canvas, exchange_verbs),
        masks=MaskVerbs(view, masks, edit, session.clipboard, preferences),
        objects=ObjectVerbs(session.objects, masks, view, canvas, objects),
        panels=panels,
        propagate=PropagateVerbs(video, view, jobs, correction, propagate),
        review=review_verbs,
        runs=RunVerbs(
            video,
            view,
            session.runs,
            session.inspector.reports,
            session.inspector.experiments,
            inspection,
            ask,
        ),
        travel=TravelVerbs(video, view, masks),
    )


def _make_review_verbs(
    session: Session, canvas: Canvas, panel: ReviewPanel, tell: Tell
) -> ReviewVerbs:
    preferences = session.preferences
    return ReviewVerbs(
        session.review,
        session.view,
        session.masks,
        session.edit,
        canvas,
        panel,
        tell,
        advances=lambda: preferences.settings.review_advance,
    )


def make_tools_bar(actions: Actions) -> QToolBar:
    """Return the bar of the tools and of what is done to the mask here."""
    bar = QToolBar(QCoreApplication.translate("Window", "Tools"))
    bar.setObjectName("tools_bar")
    for names in (
        TOOLS.values(),
        ("verify_and_heal", "refine", "verify", "absent", "clear"),
        ("undo", "redo"),
    ):
        if bar.actions():
            bar.addSeparator()
        bar.addActions([actions[name] for name in names])
    return bar


def fill_bars(
    actions: Actions,
    *,
    propagate: PropagateBar,
    timeline: Timeline,
    transport: Transport,
    anchors: AnchorsPanel,
    objects: ObjectsPanel,
    review: ReviewPanel,
) -> None:
    """Give bars and panels the actions that they offer as buttons."""

    def named(*names: str) -> list[QAction]:
        return [actions[name] for name in names]

    propagate.set_actions(named("backward", "both", "forward"), actions["clear_points"])
    transport.set_actions(
        named(
            "first", "previous_anchor", "previous_frame", "play", "next_frame", "next_anchor",
            "last",
        ),
        named("set_in", "set_out"),
    )  # fmt: skip
    timeline.set_actions(
        named(
            "block_verify", "block_unanchor", "block_absent", "block_clear", "block_lock",
            "block_propagate", "block_exchange", "exchange_on", "merge", "copy_on", "split_off",
        )
    )  # fmt: skip
    objects.set_actions(
        named("new_object", "move_up", "move_down", "delete_object"),
        named(
            "rename_object", "recolor", "hide", "solo", "lock", "move_up", "move_down",
            "delete_object",
        ),
    )  # fmt: skip
    anchors.set_actions(named("previous_anchor", "next_anchor", "suggest_frame", "remove_anchor"))
    review.set_actions(
        named(
            "previous_suspect",
            "next_suspect",
            "verify_and_next",
            "exchange_suspect",
            "absent",
            "dismiss",
        )
    )


def situation_of(session: Session, *, has_sample: bool) -> Situation:
    """Read off what decides which actions can be used; costs the same with many masks."""
    view, masks, history = session.view, session.masks, session.history
    chosen = next((info for info in masks.objects if info.id == view.selected), None)
    return Situation(
        is_open=session.video.is_open,
        has_sample=has_sample,
        object_count=len(masks.objects),
        selected=chosen is not None,
        locked=chosen is not None and chosen.locked,
        entry=masks.shown(view.frame).get(chosen.id) if chosen else None,
        mask_count=len(masks.document),
        candidates=session.clicks.candidates[1],
        has_range=view.in_point is not None or view.out_point is not None,
        has_block=view.block is not None,
        busy=session.status.state not in {SessionState.IDLE, SessionState.CLOSING},
        suspects=len(session.review.suspects),
        has_changes=session.compare.has_before,
        can_compare=session.compare.can_compare,
        has_copied=session.clipboard.has_mask,
        overlap=session.preferences.settings.overlap,
        has_run=session.runs.shown is not None,
        measured=len(session.runs.results),
        has_episode=bool(session.runs.episodes),
        has_votes=bool(session.inspector.memory.votes),
        can_undo=bool(history.undo_text),
        can_redo=history.can_redo,
        undo_text=history.undo_text,
        redo_text=history.redo_text,
    )


def situation_changes(session: Session) -> tuple[SignalInstance, ...]:
    """Return the signals that follow a change of `situation_of`."""
    view, masks = session.view, session.masks
    return (
        session.video.opened,
        view.frame_changed,
        masks.entries_changed,
        masks.objects_changed,
        view.selection_changed,
        view.range_changed,
        view.block_changed,
        session.status.state_changed,
        session.review.suspects_changed,
        session.clicks.candidates_changed,
        session.compare.changed,
        session.clipboard.changed,
        session.runs.changed,
        session.runs.measured,
        session.inspector.memory.changed,
        session.history.changed,
    )
