"""The shelf of models of the session."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot

from app.session.choices import changed
from app.session.shelf.entries import ROLES, ShelfEntry, entries
from app.session.shelf.work import Work
from app.session.state.preferences import Preferences
from app.session.state.status import Status

_LOOK_MS = 100
_PATIENCE_S = 2.0  # for work to end when the program does


class Shelf(QObject):
    """The models, and what is done about their weights; each in a thread of its own."""

    changed = Signal()  # what is here, what is used, or what work there is
    progressed = Signal()  # work is further

    def __init__(self, preferences: Preferences, status: Status, parent: QObject) -> None:
        super().__init__(parent)
        self._preferences, self._status = preferences, status
        self._work: dict[str, Work] = {}
        self._said: dict[str, str] = {}
        self._then: dict[str, Callable[[], object]] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        preferences.changed.connect(self.changed)
        if application := QCoreApplication.instance():
            application.aboutToQuit.connect(self.stop)

    def entries(self) -> tuple[ShelfEntry, ...]:
        """Return every model, those that can be used first."""
        return entries(self._preferences.settings)

    @property
    def work(self) -> Mapping[str, Work]:
        """What is being done, by the model's name."""
        return self._work

    def said(self, name: str) -> str:
        """Return what came of the last work on a model; empty where there was none."""
        return self._said.get(name, "")

    def fetch(self, name: str, *, accept_licence: bool = False) -> None:
        """Fetch weights, from where it was left."""
        from models.weights import store  # noqa: PLC0415

        def task(work: Work) -> str:
            fetched = store.fetch(
                name,
                accept_licence=accept_licence,
                progress=work.tell,
                wanted=lambda: work.is_wanted,
            )
            return f"Fetched from {fetched.origin}; its checksum is as published."

        self._begin(name, Work("fetching", task))

    def pause(self, name: str) -> None:
        """Stop a fetch; what has arrived is kept."""
        if name in self._work:
            self._work[name].stop()

    def cancel(self, name: str) -> None:
        """Stop a fetch, or give up one that was stopped, and remove what has arrived."""
        from models.weights import store  # noqa: PLC0415

        if name in self._work:
            self._then[name] = partial(store.abandon, name)
            self.pause(name)
            return
        self._tried(name, lambda: store.abandon(name))
        self._settle()

    def verify(self, name: str) -> None:
        """Compare weights with the published checksum; those that have none are loaded."""
        from models import registry  # noqa: PLC0415

        def task(_: Work) -> str:
            return registry.verify(name)

        self._begin(name, Work("verifying", task))

    def remove(self, name: str) -> None:
        """Remove weights; what they were used for falls to the best model that is here."""
        from models import registry  # noqa: PLC0415

        settings = self._preferences.settings
        used = {role for role in ROLES if getattr(settings, role) == name}
        if self._tried(name, lambda: registry.remove(name)) and used:
            self._preferences.apply(changed(settings, dict.fromkeys(used, "")))
        self._settle()

    def use(self, name: str, role: str) -> None:
        """Choose a model as tracker, segmenter or refiner."""
        self._preferences.apply(changed(self._preferences.settings, {role: name}))

    def put(self, name: str, file: Path) -> None:
        """Take a file that a person has fetched as the weights of a known model, if it fits."""
        from models import registry  # noqa: PLC0415

        def task(_: Work) -> str:
            registry.put(file, name)
            return "It fits."

        self._begin(name, Work("checking", task))

    def add(self, file: Path, family: str, name: str) -> None:
        """Take a file of a person's own as the model `name`, if it fits `family`."""
        from models import registry  # noqa: PLC0415

        def task(_: Work) -> str:
            registry.add_own(file, family, name)
            return f"It fits {family}."

        self._begin(name, Work("checking", task))

    @Slot()
    def stop(self) -> None:
        """Stop all work, and wait for it a little; what has arrived is kept."""
        self._timer.stop()
        for work in self._work.values():
            work.stop()
        for work in self._work.values():
            work.wait(_PATIENCE_S)

    def _begin(self, name: str, work: Work) -> None:
        if name in self._work:
            return
        self._said.pop(name, None)
        self._work[name] = work
        work.start()
        self._timer.start()
        self.changed.emit()

    @Slot()
    def _look(self) -> None:
        over = {name: work for name, work in self._work.items() if work.is_over}
        for name, work in over.items():
            del self._work[name]
            self._said[name] = work.error or work.said
            if work.error:
                self._status.report("error", f"{name}: {work.error}")
            elif work.said:
                self._status.report("info", f"{name}: {work.said}")
            if then := self._then.pop(name, None):
                self._tried(name, then)
        if not self._work:
            self._timer.stop()
        if over:
            self._settle()
        self.progressed.emit()

    def _tried(self, name: str, call: Callable[[], object]) -> bool:
        from models.api import ModelError  # noqa: PLC0415

        self._said.pop(name, None)
        try:
            call()
        except (ModelError, OSError) as error:
            self._said[name] = str(error)
            self._status.report("error", f"{name}: {error}")
            return False
        return True

    def _settle(self) -> None:
        """Tell everyone that other weights are here than before."""
        self._preferences.weights_changed.emit()
        self.changed.emit()
