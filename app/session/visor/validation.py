"""The rules of VISOR applied to what is open: every defect with its frame, object and mend."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.document import Document, Key
from app.session.edits.objects import ObjectEdits
from app.session.state.background import Background
from app.session.state.context import SessionContext
from app.session.visor.attributes import AttributeEdits
from app.session.visor.mending import Mending
from app.storage.formats.visor.exporting import build_export, written_names
from app.storage.formats.visor.importing import identified
from app.storage.formats.visor.naming import NamedFrames, places
from app.storage.formats.visor.records import VisorFile
from app.storage.formats.visor.validation.defect import Defect, place_of
from app.storage.formats.visor.validation.validate import validate

_SOON_MS = 800  # after the opening of a VISOR project


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect of the file that an export would write; None where it is of no frame or object."""

    defect: Defect
    frame: int | None
    object: int | None

    @property
    def key(self) -> Key | None:
        """Where the mask is that it is of."""
        if self.frame is None or self.object is None:
            return None
        return Key(self.frame, self.object)


class Validation(QObject):
    """Checks what an export would write, in the background, and mends what can be.

    A project that was made from a VISOR file is checked once when it is opened.
    """

    changed = Signal()
    opened_with_defects = Signal()  # by the check after the opening

    def __init__(
        self,
        context: SessionContext,
        attributes: AttributeEdits,
        objects: ObjectEdits,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._video, self._masks = context.video, context.masks
        self._view, self._status = context.view, context.status
        self._mending = Mending(context.video, context.masks, attributes, objects)
        self._background = Background("rules", self)
        self._background.failed.connect(self._fail)
        self._is_first = False  # whether the check under way is that after the opening
        self.findings: tuple[Finding, ...] = ()
        self.is_checking, self.is_current, self.was_checked = False, False, False
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._check_first)
        context.video.opened.connect(self._on_opened)
        for signal in (
            context.masks.document_changed, context.masks.objects_changed,
            context.masks.attributes_changed,
        ):  # fmt: skip
            signal.connect(self._on_changed)

    @Slot()
    def check(self) -> None:
        """Apply the rules to what an export would write now."""
        opened = self._video.now
        if opened is None:
            return
        self._soon.stop()
        self._background.forget()  # what is under way is of an older state
        snapshot = self._masks.snapshot()
        self.is_checking = self.is_current = self.was_checked = True
        self.changed.emit()
        work = partial(findings_of, snapshot, opened.video, opened.attachment)
        self._background.do(work, self._take)

    @Slot()
    def _check_first(self) -> None:
        self._is_first = True  # before the check, which may be done at once
        self.check()

    def go_to(self, finding: Finding) -> None:
        """Show the frame of a defect and select its object."""
        if finding.frame is not None:
            self._view.go_to(finding.frame)
        if finding.object is not None:
            self._view.select(finding.object)

    def can_mend(self, finding: Finding) -> bool:
        """Whether a button mends it."""
        defect = finding.defect
        return self._mending.can_mend(defect.rule, defect.text, finding.key)

    def mend(self, findings: Iterable[Finding]) -> int:
        """Mend those that can be, as one undo step, and check again; return how many were."""
        wanted = [each for each in findings if self.can_mend(each)]
        if not wanted:
            return 0
        rules = ", ".join(dict.fromkeys(each.defect.rule for each in wanted))
        with self._masks.one_step(f"Mend {rules}"):
            count = sum(
                self._mending.mend(each.defect.rule, each.key)
                for each in wanted
                if each.key is not None
            )
        self.check()
        return count

    def stop(self) -> None:
        """Wait for the check that is under way."""
        self._soon.stop()
        self._background.stop()

    def _take(self, findings: tuple[Finding, ...]) -> None:
        self.is_checking, self.findings = False, findings
        self.changed.emit()
        self._say()
        if self._is_first and any(not each.defect.harmless for each in findings):
            self.opened_with_defects.emit()
        self._is_first = False

    def _fail(self, why: str) -> None:
        self.is_checking = self.is_current = self.was_checked = self._is_first = False
        self.findings = ()
        self._status.report("error", f"The rules could not be applied: {why}")
        self.changed.emit()

    def _say(self) -> None:
        wrong = [each for each in self.findings if not each.defect.harmless]
        notes = len(self.findings) - len(wrong)
        if not wrong:
            text = f"By VISOR's rules the masks are sound. Notes worth knowing: {notes}."
            self._status.report("info", text)
            return
        first = next((each for each in wrong if each.frame is not None), wrong[0])
        where = "file" if first.frame is None else f"frame {first.frame}"
        name = first.defect.annotation.partition(" ")[2].strip("()")
        what = ", ".join(part for part in (where, name, first.defect.rule) if part)
        text = f"{len(wrong)} defects by VISOR's rules, the first: {what}. Rules (F4) lists them."
        self._status.report("warning", text)

    @Slot()
    def _on_opened(self) -> None:
        self.findings, self.is_checking = (), False
        self.is_current = self.was_checked = False
        self.changed.emit()
        if self._video.now is not None and self._video.now.imported.is_there:
            self._soon.start()

    @Slot()
    def _on_changed(self) -> None:
        if self.is_current:
            self.is_current = False
            self.changed.emit()


def findings_of(
    document: Document, frames: NamedFrames, attachment: bytes | None
) -> tuple[Finding, ...]:
    """Return the defects of the file that an export of a document writes.

    Raises FormatError where the attachment is damaged.
    """
    content = build_export(document, frames, attachment).file.dumps()
    file = VisorFile.parse(content, "the export")
    numbers = {name: number for number, name in written_names(document, attachment).items()}
    where: dict[str, int] = {}
    objects: dict[tuple[str, str], int] = {}
    for record, frame in zip(file.records, places(file.records, frames), strict=True):
        if frame is None:
            continue
        where.setdefault(record.name, frame)
        for place, (identity, annotation) in enumerate(identified(record.annotations)):
            if identity.shown in numbers:
                key = (record.name, place_of(annotation, place))
                objects.setdefault(key, numbers[identity.shown])
    defects = validate(file.raw)
    return tuple(
        Finding(each, where.get(each.frame), objects.get((each.frame, each.annotation)))
        for each in sorted(defects, key=lambda each: (each.harmless, each.frame))
    )
