"""The window's help: the pages of the user's guide, with a search over all of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QUrl, Slot
from PySide6.QtGui import QImage, QKeySequence, QShortcut, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

FIRST = "README.md"
_KEY = re.compile(r"<kbd>(.*?)</kbd>")
_PAGE = re.compile(r"\]\(([\w-]+\.md)\)")
_CONTEXT = 40  # letters of a hit's line that are shown before and after it
_LEAST = 2  # letters to look for
_MOST = 200  # hits that are listed
_MARGIN = 24


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in the guide where the text that was looked for stands.

    `start` and `end` are positions in the page's document, `line` is what stands round it.
    """

    page: str
    start: int
    end: int
    line: str


class Guide:
    """The pages of the user's guide, in the order in which the first one links them."""

    def __init__(self, folder: Path, keys: Mapping[str, str]) -> None:
        """Read the pages of `folder`; `keys` are those that hold, by the guide's own."""
        self.folder = folder
        self._keys = keys
        first = self.markdown(folder / FIRST)
        self._texts = {FIRST: first}
        for name in _PAGE.findall(first):
            self._texts.setdefault(name, self.markdown(folder / name))
        self._documents: dict[str, QTextDocument] = {}

    @property
    def pages(self) -> Mapping[str, str]:
        """Titles by file name."""
        return {
            name: text.lstrip("# ").partition("\n")[0].strip() for name, text in self._texts.items()
        }

    def markdown(self, path: Path) -> str:
        """Return the text of a page, with the keys that hold. Raises OSError."""
        return _KEY.sub(self._key, path.read_text(encoding="utf-8"))

    def find(self, text: str) -> list[Hit]:
        """Return where `text` stands, page by page; capitals do not matter."""
        return [hit for name in self._texts for hit in self._find_in(name, text)][:_MOST]

    def _key(self, match: re.Match[str]) -> str:
        key = match.group(1)
        return f"**{self._keys.get(key, key)}**"

    def _find_in(self, name: str, text: str) -> list[Hit]:
        document = self._document(name)
        hits: list[Hit] = []
        cursor = document.find(text, 0)
        while not cursor.isNull():
            hits.append(Hit(name, cursor.selectionStart(), cursor.selectionEnd(), _line_of(cursor)))
            cursor = document.find(text, cursor)
        return hits

    def _document(self, name: str) -> QTextDocument:
        if name not in self._documents:
            document = QTextDocument()
            document.setMarkdown(self._texts[name])
            self._documents[name] = document
        return self._documents[name]


class Pages(QTextBrowser):
    """Shows a page of the guide; pictures are as wide as there is room for."""

    def __init__(self, guide: Guide) -> None:
        super().__init__()
        self._guide = guide
        self.setAccessibleName(self.tr("Page of the guide"))
        self.setOpenExternalLinks(True)
        self.document().setDocumentMargin(_MARGIN / 2)
        # The room for pictures is the same on long and short pages.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)

    @property
    def page(self) -> str:
        """The file name of what is shown."""
        return self.source().fileName()

    def show_page(self, name: str) -> None:
        """Show a page of the guide from its beginning."""
        self.setSource(QUrl.fromLocalFile(str(self._guide.folder / name)))

    def show_hit(self, hit: Hit) -> None:
        """Show the page of a hit, scrolled to it and with it selected."""
        if self.page != hit.page:
            self.show_page(hit.page)
        cursor = QTextCursor(self.document())
        cursor.setPosition(hit.start)
        cursor.setPosition(hit.end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        # The selection of a text without the focus is hardly seen in some styles.
        selection = QTextEdit.ExtraSelection()
        selection.cursor = cursor
        selection.format.setBackground(self.palette().highlight())
        selection.format.setForeground(self.palette().highlightedText())
        self.setExtraSelections([selection])

    def loadResource(self, kind: int, name: QUrl | str, /) -> object:
        """Return a page with the keys that hold, or a picture of the room's width."""
        url = self.source().resolved(QUrl(name))
        if kind == QTextDocument.ResourceType.MarkdownResource.value and url.isLocalFile():
            return self._guide.markdown(Path(url.toLocalFile()))
        data = super().loadResource(kind, name)
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return data
        image = QImage.fromData(data)
        room = self.viewport().width() - _MARGIN
        if image.width() <= room:
            return image
        return image.scaledToWidth(room, Qt.TransformationMode.SmoothTransformation)


class HelpWindow(QDialog):
    """The guide beside the work: a list of pages, a field to search them all, and the page."""

    def __init__(
        self, folder: Path, keys: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        """Show the guide in `folder`; `keys` are those that hold, by the guide's own. OSError."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Help"))
        self.resize(1060, 680)
        self._guide = Guide(folder, keys)
        self._field = self._make_field()
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Pages of the guide"))
        self._list.setWordWrap(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setStyleSheet("QListView::item { padding: 4px; }")
        self._list.currentItemChanged.connect(self._on_chosen)
        self.pages = Pages(self._guide)
        self.pages.historyChanged.connect(self._on_page_changed)
        splitter = QSplitter()
        splitter.addWidget(self._list)
        splitter.addWidget(self.pages)
        splitter.setSizes([270, 790])
        splitter.setStretchFactor(1, 1)
        top = QHBoxLayout()
        top.addWidget(self._field, 1)
        top.addWidget(self._make_back())
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(splitter, 1)
        QShortcut(QKeySequence.StandardKey.Find, self, self._field.setFocus)
        self._search("")
        self.pages.show_page(FIRST)
        self.pages.setFocus()

    def listed(self) -> list[str]:
        """Return what the list at the left shows: pages, or hits of the search."""
        return [self._list.item(row).text() for row in range(self._list.count())]

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(self.tr("Search the guide"))
        field.setAccessibleName(self.tr("Search the guide"))
        field.setClearButtonEnabled(True)
        field.textChanged.connect(self._search)
        field.returnPressed.connect(self._next_hit)
        return field

    def _make_back(self) -> QPushButton:
        back = QPushButton(self.tr("Back"))
        back.setAutoDefault(False)  # Enter in the search field goes to the next hit
        back.setEnabled(False)
        back.clicked.connect(self.pages_back)
        self._back = back
        return back

    @Slot()
    def pages_back(self) -> None:
        """Go back to the page before."""
        self.pages.backward()

    @Slot(str)
    def _search(self, text: str) -> None:
        """List the hits, or all pages while too little is typed."""
        with QSignalBlocker(self._list):
            self._list.clear()
            if len(text.strip()) < _LEAST:
                for name, title in self._guide.pages.items():
                    self._add(title, name)
                self._mark_page()
                return
            hits = self._guide.find(text.strip())
            titles = self._guide.pages
            for hit in hits:
                self._add(f"{titles[hit.page]}\n{hit.line}", hit)
            if not hits:
                self._add(self.tr("Nothing found"), None)
        if hits:
            self._list.setCurrentRow(0)

    def _add(self, text: str, place: Hit | str | None) -> None:
        item = QListWidgetItem(text, self._list)
        item.setData(Qt.ItemDataRole.UserRole, place)

    @Slot()
    def _next_hit(self) -> None:
        if self._list.count():
            self._list.setCurrentRow((self._list.currentRow() + 1) % self._list.count())

    @Slot(QListWidgetItem)
    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        place = item.data(Qt.ItemDataRole.UserRole) if item else None
        if isinstance(place, Hit):
            self.pages.show_hit(place)
        elif place is not None:
            self.pages.show_page(place)

    @Slot()
    def _on_page_changed(self) -> None:
        self._back.setEnabled(self.pages.isBackwardAvailable())
        with QSignalBlocker(self._list):
            self._mark_page()

    def _mark_page(self) -> None:
        """Mark the page in the list that is shown, where the list shows pages."""
        for row in range(self._list.count()):
            if self._list.item(row).data(Qt.ItemDataRole.UserRole) == self.pages.page:
                self._list.setCurrentRow(row)


def _line_of(cursor: QTextCursor) -> str:
    """Return what stands round a hit in its paragraph."""
    block = cursor.block()
    start = cursor.selectionStart() - block.position()
    end = cursor.selectionEnd() - block.position()
    text = block.text()
    before, after = max(0, start - _CONTEXT), end + _CONTEXT
    return f"{'…' * (before > 0)}{text[before:after].strip()}{'…' * (after < len(text))}"
