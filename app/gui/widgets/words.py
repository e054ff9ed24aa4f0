"""The words for frames, times and states, alike everywhere in the window."""

import html

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.core.document import Entry, State

_STATES = {
    State.NONE: QT_TRANSLATE_NOOP("State", "no mask"),
    State.PREDICTED: QT_TRANSLATE_NOOP("State", "predicted"),
    State.STALE: QT_TRANSLATE_NOOP("State", "stale"),
    State.ANCHOR: QT_TRANSLATE_NOOP("State", "anchor"),
    State.VERIFIED: QT_TRANSLATE_NOOP("State", "verified"),
    State.ABSENT: QT_TRANSLATE_NOOP("State", "absent"),
    State.OCCLUDED: QT_TRANSLATE_NOOP("State", "occluded"),
    State.CONFLICT: QT_TRANSLATE_NOOP("State", "conflict"),
    State.GROUND_TRUTH: QT_TRANSLATE_NOOP("State", "ground truth"),
}


def state_name(state: State) -> str:
    """Return what a person calls a state."""
    return QCoreApplication.translate("State", str(_STATES[state]))


def entry_name(entry: Entry | None) -> str:
    """Return what a person calls what an object has on a frame.

    Of one that is not seen it says, too, whether that is certain: a model may only not find it.
    """
    if entry is None:
        return state_name(State.NONE)
    name = state_name(entry.state)
    if entry.mask is None and entry.is_anchor:
        return QCoreApplication.translate("State", "{} (anchor)").format(name)
    return name


def clock(seconds: float) -> str:
    """Return a time as minutes, seconds and hundredths, with hours where there are any."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{minutes:02d}:{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{tail}" if hours else tail


def percent(probability: float) -> str:
    """Return how likely a model's mask is right: nothing that only a model says is certain."""
    return f"{min(probability, 0.99):.0%}"


def duration(seconds: float) -> str:
    """Return a length of time as a person says it: "45 s", "2 min 5 s", "1 h 3 min"."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(count: int, one: str, many: str) -> str:
    """Return how many there are, in words: "1 mask", "30 masks"."""
    return f"{count:,} {one if count == 1 else many}"


def verbatim_tip(text: str) -> str:
    """Return a tool tip that shows `text` as it is: Qt takes what looks like HTML for HTML."""
    return f"<span>{html.escape(text)}</span>".replace("\n", "<br>") if text else ""


def verbatim_item(text: str) -> str:
    """Return a menu item that shows `text` as it is: Qt takes an ampersand for a mnemonic."""
    return text.replace("&", "&&")
