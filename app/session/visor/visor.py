"""The VISOR parts of a session, put together."""

from PySide6.QtCore import QObject

from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.visor.attributes import AttributeEdits
from app.session.visor.dense import DenseRuns
from app.session.visor.subsequences import Subsequences
from app.session.visor.validation import Validation


class Visor(QObject):
    """What VISOR has beside masks, of the open video."""

    def __init__(
        self,
        context: SessionContext,
        jobs: JobRunner,
        objects: ObjectEdits,
        edit: MaskEdits,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.attributes = AttributeEdits(context, self)
        self.subsequences = Subsequences(context, self)
        self.validation = Validation(context, self.attributes, objects, self)
        self.dense = DenseRuns(context, jobs, edit, self)

    @property
    def is_there(self) -> bool:
        """Whether what is open was made from a VISOR file."""
        imported = self.attributes.imported
        return imported is not None and imported.is_there

    def stop(self) -> None:
        """Wait for what is under way."""
        self.validation.stop()
