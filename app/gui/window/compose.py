"""The composition of the window: each widget and verb is given the parts of the session it uses."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolBar

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
from app.gui.actions.verbs.spans.changes import ChangeVerbs
from app.gui.actions.verbs.spans.jobs import JobVerbs
from app.gui.actions.verbs.travel import TravelVerbs
from app.gui.actions.verbs.visor import VisorVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.tools.tool import Tool
from app.gui.dialogs.ask import Ask
from app.gui.dialogs.export import ExportDialog
from app.gui.panels.propagate_bar import PropagateBar
from app.gui.panels.review import ReviewPanel
from app.gui.timeline.playback import Follower
from app.gui.window.parts import WindowParts
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


def follow_propagations(session: Session, canvas: Canvas, parent: QObject) -> Follower:
    """Let the view go along with a propagation where the person has chosen so."""
    preferences = session.preferences
    return Follower(
        session.view,
        session.jobs,
        session.status,
        session.history,
        parent,
        wanted=lambda: preferences.settings.follow_playhead and not canvas.is_drawing,
    )


def make_context(
    session: Session,
    parts: WindowParts,
    panels: Panels,
    ask: Ask,
    sample: Callable[[], Path] | None,
) -> ActionContext:
    """Return the verbs that the rows of the action table call."""
    video, view, masks, edit = session.video, session.view, session.masks, session.edit
    compare, correction, jobs = session.compare, session.correction, session.jobs
    canvas, tell = parts.canvas, parts.messages.show_message
    exchange_verbs = _make_exchange_verbs(session, ask, tell)
    autosave = session.files.autosave
    files = FileVerbs(
        video, session.files, autosave, exchange_verbs, ask, parts.recent, tell, sample
    )
    meanwhile = partial(tell, of_waiting=True)
    job_verbs = JobVerbs(jobs, meanwhile, parts.messages.end_waiting, parts.status.jobs.open_list)
    review_verbs = _make_review_verbs(session, canvas, parts.review, tell)
    return ActionContext(
        anchors=AnchorVerbs(view, masks, session.status, edit, parts.anchors),
        block=BlockVerbs(view, masks, session.status, session.objects, edit, session.ranges, jobs),
        canvas=canvas,
        changes=ChangeVerbs(
            session.changes, compare, view, session.status, parts.changes, panels.changes
        ),
        player=parts.player,
        files=files,
        data_set=DataSetVerbs(session.inspection.data_set, video, view, files, ask, panels.inspect),
        correct=CorrectVerbs(
            correction,
            session.clicks,
            session.finding,
            session.history,
            job_verbs,
            canvas,
            review_verbs,
        ),
        exchange=exchange_verbs,
        jobs=job_verbs,
        look=LookVerbs(view, compare, canvas, exchange_verbs),
        masks=MaskVerbs(view, masks, edit, session.clipboard, session.preferences),
        objects=ObjectVerbs(session.objects, session.finding, masks, view, canvas, parts.objects),
        panels=panels,
        propagate=_make_propagate_verbs(session, parts.propagate),
        review=review_verbs,
        runs=RunVerbs(video, view, session.status, session.inspection, parts.inspection, ask),
        travel=TravelVerbs(video, view, masks),
        visor=_make_visor_verbs(session, parts, exchange_verbs, panels.dense),
    )


def _make_propagate_verbs(session: Session, bar: PropagateBar) -> PropagateVerbs:
    limits = session.files.exchange.visor.subsequences.limits
    video, view, jobs = session.video, session.view, session.jobs
    return PropagateVerbs(video, view, jobs, session.correction, bar, limits)


def _make_exchange_verbs(session: Session, ask: Ask, tell: Tell) -> ExchangeVerbs:
    dialog = partial(ExportDialog, session.masks, session.status)
    exchange = session.files.exchange
    return ExchangeVerbs(session.video, exchange, session.compare, ask, tell, dialog)


def _make_visor_verbs(
    session: Session, parts: WindowParts, exchange: ExchangeVerbs, bring_runs: Callable[[], None]
) -> VisorVerbs:
    video, view, masks = session.video, session.view, session.masks
    visor = session.files.exchange.visor
    return VisorVerbs(
        video, view, masks, visor, parts.canvas, parts.visor, exchange.export_as, bring_runs
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


def fill_bars(actions: Actions, parts: WindowParts) -> None:
    """Give bars and panels the actions that they offer as buttons."""

    def named(*names: str) -> list[QAction]:
        return [actions[name] for name in names]

    ways = named("backward", "both", "forward")
    parts.propagate.set_actions(ways, actions["clear_points"], actions["models"])
    parts.transport.set_actions(
        named(
            "first", "previous_anchor", "previous_frame", "play", "next_frame", "next_anchor",
            "last",
        ),
        named("set_in", "set_out"),
    )  # fmt: skip
    parts.timeline.set_actions(
        named(
            "block_verify", "block_unanchor", "block_absent", "block_clear", "block_lock",
            "block_propagate", "block_consistent", "block_exchange", "exchange_on", "take_over_on",
            "merge", "copy_on", "split_off",
        )
    )  # fmt: skip
    parts.objects.set_actions(
        named("new_object", "move_up", "move_down", "delete_object"),
        named(
            "rename_object", "recolor", "hide", "solo", "lock", "move_up", "move_down",
            "delete_object",
        ),
    )  # fmt: skip
    parts.anchors.set_actions(
        named("previous_anchor", "next_anchor", "suggest_frame", "remove_anchor")
    )
    parts.changes.set_actions(named("accept_change", "reject_change", "swap"))
    parts.review.set_actions(
        named(
            "previous_suspect",
            "next_suspect",
            "verify_and_next",
            "exchange_suspect",
            "absent",
            "dismiss",
        )
    )
    parts.visor.set_actions(named)
    parts.inspection.set_actions(named)
    parts.find.set_actions(actions["find_hands"])


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
        asked=session.status.state is SessionState.SEGMENTING,
        candidates=session.clicks.candidates[1],
        has_range=view.in_point is not None or view.out_point is not None,
        has_block=view.block is not None,
        busy=session.status.state not in {SessionState.IDLE, SessionState.CLOSING},
        suspects=len(session.review.suspects),
        has_changes=session.compare.has_before,
        can_compare=session.compare.can_compare,
        has_copied=session.clipboard.has_mask,
        overlap=session.preferences.settings.overlap,
        sequences=len(session.files.exchange.visor.subsequences.all),
        keeps_to_sequence=session.files.exchange.visor.subsequences.bounds,
        has_run=bool(session.inspection.runs.infos),
        measured=len(session.inspection.runs.results),
        has_episode=bool(session.inspection.runs.episodes),
        has_votes=bool(session.inspection.memory.votes),
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
        session.changes.changed,
        session.clipboard.changed,
        session.inspection.runs.changed,
        session.inspection.runs.measured,
        session.inspection.memory.changed,
        session.files.exchange.visor.subsequences.bounding_changed,
        session.history.changed,
    )
