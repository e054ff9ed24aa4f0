"""The theme of the window: colours, style sheet, icons that follow it."""

import enum
from dataclasses import asdict, dataclass

import qtawesome
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
    QPixmapCache,
)
from PySide6.QtWidgets import QApplication

from app import paths


class Theme(enum.Enum):
    """What the settings offer."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


# Fusion draws the frames of these 40 % darker than the window, and on a dark one they are lost.
_FRAMED = ("QCheckBox", "QRadioButton", "QAbstractSpinBox", "QLineEdit", "QComboBox")
_DARKER = 140  # what Fusion gives to QColor.darker, percent


@dataclass(frozen=True, slots=True)
class Colors:
    """The named colours of one theme, as CSS; app.qss uses the same names."""

    window: str
    base: str
    raised: str
    border: str
    frame: str
    text: str
    dim: str
    disabled: str
    accent: str
    accent_strong: str
    accent_soft: str
    on_accent: str
    warning: str
    danger: str


LIGHT = Colors(
    window="#f1f3f5",
    base="#ffffff",
    raised="#e6e9ed",
    border="#b9c0c8",
    frame="#70777f",
    text="#1a1d21",
    dim="#515961",
    disabled="#757d86",
    accent="#0b5fc7",
    accent_strong="#094da3",
    accent_soft="#cfe2fa",
    on_accent="#ffffff",
    warning="#9a6200",
    danger="#b3261e",
)
DARK = Colors(
    window="#222427",
    base="#1a1b1e",
    raised="#2f3236",
    border="#4b5057",
    frame="#7b828a",
    text="#e8eaed",
    dim="#b0b6bd",
    disabled="#8b9199",
    accent="#5aa2f7",
    accent_strong="#7db7fa",
    accent_soft="#24405f",
    on_accent="#0d1520",
    warning="#f0b429",
    danger="#ff8a80",
)


def colors_for(theme: Theme) -> Colors:
    """Return the colours of a theme; SYSTEM asks the desktop, and unsure means light."""
    if theme is Theme.SYSTEM:
        scheme = QGuiApplication.styleHints().colorScheme()
        return DARK if scheme is Qt.ColorScheme.Dark else LIGHT
    return DARK if theme is Theme.DARK else LIGHT


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Give every widget of the application this theme, at once."""
    colors = colors_for(theme)
    application.setStyle("Fusion")
    application.setPalette(_palette(colors))
    framed = _palette(colors)
    framed.setColor(QPalette.ColorRole.Window, QColor(colors.frame).lighter(_DARKER))
    for name in _FRAMED:
        # PySide takes text here, and nothing else in fact; its stubs say bytes.
        application.setPalette(framed, name)  # type: ignore[arg-type]
    application.setStyleSheet(style_sheet(colors))


def style_sheet(colors: Colors) -> str:
    """Return app.qss with its named colours filled in."""
    sheet = (paths.resources() / "app.qss").read_text(encoding="utf-8")
    for name, value in asdict(colors).items():
        sheet = sheet.replace(f"{{{name}}}", value)
    return sheet


def _palette(colors: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, color in (
        (role.Window, colors.window),
        (role.WindowText, colors.text),
        (role.Base, colors.base),
        (role.AlternateBase, colors.raised),
        (role.ToolTipBase, colors.raised),
        (role.ToolTipText, colors.text),
        (role.PlaceholderText, colors.dim),
        (role.Text, colors.text),
        (role.Button, colors.raised),
        (role.ButtonText, colors.text),
        (role.BrightText, colors.danger),
        (role.Light, colors.raised),
        (role.Midlight, colors.raised),
        (role.Mid, colors.border),
        (role.Dark, colors.border),
        (role.Link, colors.accent),
        (role.Highlight, colors.accent),
        (role.HighlightedText, colors.on_accent),
        (role.Accent, colors.accent),
    ):
        palette.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colors.disabled))
    return palette


class _ThemedIcon(QIconEngine):
    """Paints one qtawesome glyph in the colour that the palette has at that moment."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        palette = QGuiApplication.palette()
        disabled = mode is QIcon.Mode.Disabled
        group = QPalette.ColorGroup.Disabled if disabled else QPalette.ColorGroup.Active
        selected = mode is QIcon.Mode.Selected
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.ButtonText
        color = palette.color(group, role).name()
        ratio = painter.device().devicePixelRatio()
        painter.drawPixmap(rect, self._drawn(rect.size(), color, ratio))

    def _drawn(self, size: QSize, color: str, ratio: float) -> QPixmap:
        """Return the glyph in one colour: drawing its letter each time is slow."""
        key = f"{self._name} {color} {size.width()}x{size.height()}@{ratio}"
        drawn = QPixmap(size * ratio)
        if QPixmapCache.find(key, drawn):
            return drawn
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        qtawesome.icon(self._name, color=color).paint(painter, QRect(QPoint(0, 0), size))
        painter.end()
        QPixmapCache.insert(key, drawn)
        return drawn

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _ThemedIcon(self._name)


def icon(name: str) -> QIcon:
    """Return the qtawesome icon `name`, which follows a change of theme by itself."""
    return QIcon(_ThemedIcon(name))
