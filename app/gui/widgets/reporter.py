"""The reporter: what the session tells, as messages over the picture."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from app.gui.widgets.messages import Level, Messages, Offer
from app.session.session import Session
from app.session.state.status import Report, SessionState, Topic


class Reporter(QObject):
    """Shows each report with what it offers: to view and undo changes, to fetch a model.

    That something waits is shown until a job begins.
    """

    def __init__(
        self,
        session: Session,
        messages: Messages,
        view: QAction,
        runs: QAction,
        undo: QAction,
        models: QAction,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._messages = session, messages
        self._offers = {
            Topic.CHANGES: (
                Offer(self.tr("View"), view),
                Offer(self.tr("Undo"), undo, ends=True),
            ),
            Topic.RUNS: (
                Offer(self.tr("View"), runs),
                Offer(self.tr("Undo"), undo, ends=True),
            ),
            Topic.MODELS: (Offer(self.tr("Models…"), models, ends=True),),
        }
        session.status.reported.connect(self._on_reported)
        session.jobs.began.connect(messages.end_waiting)
        # What was offered about the newest step would be done to another one.
        session.history.changed.connect(messages.withdraw_offers)
        session.status.state_changed.connect(messages.withdraw_offers)  # a job is newer, too

    @Slot(object)
    def _on_reported(self, report: Report) -> None:
        # An error while a video is closed says what was lost: it must outlast the video.
        closes = self._session.status.state is SessionState.CLOSING
        self._messages.show_message(
            Level(report.level),
            report.text,
            of_video=self._session.video.is_open and not closes,
            outlasts=report.topic is Topic.ENDED,
            of_waiting=report.topic is Topic.WAITING,
            offers=self._offers.get(report.topic, ()),
        )
