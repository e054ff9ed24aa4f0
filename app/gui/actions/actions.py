"""The QActions of the window, made from the table of actions."""

import functools
from collections.abc import Callable, Iterable, Iterator

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, SignalInstance, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from app.gui.actions.context import ActionContext
from app.gui.actions.latin_keys import LatinKeys
from app.gui.actions.needs import Need, Situation
from app.gui.actions.presets import PRESETS
from app.gui.actions.table.action import Action, Keys
from app.gui.actions.table.menus import acts
from app.gui.widgets.theme import icon
from app.gui.widgets.words import verbatim_item
from app.session.state.preferences import Preferences


class Actions(QObject):
    """Every action by name; keeps which of them can be used, and says of the others why not.

    `refreshed` follows each look at the session.
    """

    refreshed = Signal()

    def __init__(
        self,
        context: ActionContext,
        situation: Callable[[], Situation],
        preferences: Preferences,
        *,
        changes: Iterable[SignalInstance],
        parent: QObject,
    ) -> None:
        """`situation` reads off the session what decides; `changes` follow a change of that."""
        super().__init__(parent)
        self._context, self._situation, self._preferences = context, situation, preferences
        self._acts = {act.name: act for act in acts()}
        self._groups: dict[str, QActionGroup] = {}
        self._actions = {name: self._make(act) for name, act in self._acts.items()}
        # Many signals of one edit make one refresh.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.refresh)
        for signal in changes:
            signal.connect(self._refresh_soon)
        preferences.changed.connect(self._on_settings_changed)
        context.player.playing_changed.connect(self._on_playing_changed)
        self._latin_keys = LatinKeys(self._actions.values, self)
        if application := QCoreApplication.instance():
            application.installEventFilter(self._latin_keys)
        self.refresh()

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def act(self, action: QAction) -> Action:
        """Return the row of the table that `action` was made from."""
        return self._acts[action.objectName()]

    def _make(self, act: Action) -> QAction:
        action = QAction(_tr(act.text), self)
        action.setObjectName(act.name)
        if act.icon:
            action.setIcon(icon(f"mdi6.{act.icon}"))
        action.setShortcuts(self._keys(act))
        action.setIconText(plain(_tr(act.text)))
        action.setStatusTip(_tr(act.tip))
        action.setWhatsThis(_tr(act.tip))
        if act.group:
            action.setCheckable(True)
            self._group(act.group).addAction(action)
        if act.is_on is not None:
            action.setCheckable(True)
        action.triggered.connect(functools.partial(_run, act, self._context))
        return action

    def _keys(self, act: Action) -> list[QKeySequence]:
        preset = PRESETS.get(self._preferences.settings.shortcuts, {})
        return _sequences(preset.get(act.name, act.keys))

    @Slot()
    def _on_settings_changed(self) -> None:
        for name, action in self._actions.items():
            action.setShortcuts(self._keys(self._acts[name]))
        self.refresh()

    def _group(self, name: str) -> QActionGroup:
        return self._groups.setdefault(name, QActionGroup(self))

    @Slot()
    def _refresh_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def refresh(self) -> None:
        """Look at the session and set which actions can be used."""
        situation = self._situation()
        lacking = {need: situation.lacking(need) for need in Need}
        for name, action in self._actions.items():
            act = self._acts[name]
            missing = lacking[act.need]
            action.setEnabled(missing is None)
            if act.is_on is not None:
                action.setChecked(act.is_on(situation))
            action.setToolTip(_tool_tip(act, action.shortcut(), missing))
        _name_step(self["undo"], self.tr("&Undo"), situation.undo_text)
        _name_step(self["redo"], self.tr("&Redo"), situation.redo_text)
        self.refreshed.emit()

    @Slot(bool)
    def _on_playing_changed(self, playing: bool) -> None:  # noqa: FBT001
        self["play"].setIcon(icon("mdi6.pause" if playing else "mdi6.play"))


def keys_text(action: QAction) -> str:
    """Return the keys of an action as the person reads them: "Left or A"."""
    texts = [keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()]
    joiner = QCoreApplication.translate("Action", " or ")
    return joiner.join(dict.fromkeys(filter(None, texts)))


def present_keys(actions: Actions) -> dict[str, str]:
    """Return the keys that hold now by those of the table: what a person reads of each.

    Where a preset has changed an action's keys, each of the table's stands for all of them.
    """
    names: dict[str, str] = {}
    for action in actions:
        table = _sequences(actions.act(action).keys)
        changed = keys_text(action) if action.shortcuts() != table else ""
        for keys in table:
            native = keys.toString(QKeySequence.SequenceFormat.NativeText)
            names[keys.toString()] = changed or native
    return names


def plain(text: str) -> str:
    """Return a text without mnemonic and dots."""
    return text.replace("&", "").rstrip("…")


def _run(act: Action, context: ActionContext, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
    act.run(context)


def _sequences(given: Keys) -> list[QKeySequence]:
    sequences: list[QKeySequence] = []
    for keys in given:
        if isinstance(keys, str):
            sequences.append(QKeySequence(keys))
        else:
            # The first is what the platform shows; the rest are media keys and old habits.
            sequences += QKeySequence.keyBindings(keys)[:1]
    return list(dict.fromkeys(sequences))


def _tool_tip(act: Action, first: QKeySequence, missing: Need | None) -> str:
    keys = first.toString(QKeySequence.SequenceFormat.NativeText)
    tip = _tr(act.tip) + (f" ({keys})" if keys else "")
    return tip if missing is None else f"{tip}\n{missing.explanation}"


def _name_step(action: QAction, verb: str, step: str) -> None:
    action.setText(f"{verb} {verbatim_item(step[:1].lower() + step[1:])}" if step else verb)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Action", text)
