"""What the linters cannot say of the source."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for top in ("app", "models") for path in (ROOT / top).rglob("*.py"))
LONGEST_FUNCTION = 50
LONGEST_FILE = 500
MOST_METHODS = 25
LONGEST_WINDOW = 300
MOST_ENTRIES = 10
# Every family of models is a package of its own beside what they share.
MORE_ENTRIES = {"models": 13}
FOLDERS = sorted(
    folder
    for top in ("app/batch", "app/cli", "app/gui", "app/storage", "models")
    for folder in {path.parent for path in (ROOT / top).rglob("*.py")}
)
MOST_PUBLIC_NAMES = 20
# A model's forward may be a page.
PAGES = {"forward"}
# The inference thread reports whatever goes wrong and lives on.
CATCHES_ALL = {"app/engine/inference.py"}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module", params=SOURCES, ids=_name)
def source(request: pytest.FixtureRequest) -> tuple[str, str, ast.Module]:
    """Return name, text and syntax tree of one source file."""
    text = request.param.read_text(encoding="utf-8")
    return _name(request.param), text, ast.parse(text)


def test_files_and_functions_stay_short(source: tuple[str, str, ast.Module]) -> None:
    name, text, tree = source
    assert len(text.splitlines()) <= LONGEST_FILE, name
    for function in _functions(tree):
        if function.name not in PAGES:
            length = (function.end_lineno or 0) - function.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{name}: {function.name} has {length} lines"


def test_classes_stay_small(source: tuple[str, str, ast.Module]) -> None:
    name, _, tree = source
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not _is_contract(node):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            assert len(methods) <= MOST_METHODS, f"{name}: {node.name} has {len(methods)} methods"


def test_nothing_pumps_events_or_kills_threads(source: tuple[str, str, ast.Module]) -> None:
    name, _, tree = source
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"processEvents", "terminate"}, name


def test_only_the_inference_thread_catches_everything(source: tuple[str, str, ast.Module]) -> None:
    name, _, tree = source
    caught = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]
    assert not caught or name in CATCHES_ALL, name


def test_what_catches_even_interruptions_raises_them_again(
    source: tuple[str, str, ast.Module],
) -> None:
    name, _, tree = source
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
            raises = any(isinstance(part, ast.Raise) for part in ast.walk(node))
            assert node.type.id != "BaseException" or raises, name


def test_the_window_decides_nothing_and_so_stays_short() -> None:
    lines = (ROOT / "app" / "gui" / "window" / "window.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_WINDOW


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_folders_show_what_is_in_them_at_a_glance(folder: Path) -> None:
    folders = [path for path in folder.iterdir() if path in FOLDERS]
    files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    count = len(folders) + len(files)
    most = MORE_ENTRIES.get(_name(folder), MOST_ENTRIES)
    assert count <= most, f"{_name(folder)} holds {count} files and folders"


def test_one_module_drives_trackers() -> None:
    assert _callers("track") == {"app/batch/passes/predict.py"}


def test_one_module_asks_refiners() -> None:
    # A refiner is a segmenter that is asked with a mask; what it says is judged against that mask.
    assert _callers("prompt_of") == _callers("judge") == {"app/batch/masks/refine.py"}


def _callers(function: str) -> set[str]:
    """Return the modules of the app that call a function or a method of this name."""
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else ""
                name = called.id if isinstance(called, ast.Name) else name
                if name == function:
                    found.add(_name(path))
    return found


def test_no_class_of_the_session_offers_too_much() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    offers = public_names({_module(path): text for path, text in sources.items()})
    inside = {name: names for name, names in offers.items() if name.startswith("app.session.")}
    assert "app.session.session.Session" in inside
    too_many = {name: len(n) for name, n in inside.items() if len(n) > MOST_PUBLIC_NAMES}
    assert not too_many


def test_all_that_a_class_offers_is_counted() -> None:
    base = """
class Base:
    opened = Signal()
    size: int
    def close(self): self.closed, self._told = True, ()
"""
    part = """
from planted.base import Base
class Part(Base, QObject):
    @property
    def title(self): ...
    def _offer(self):
        self.go_to = self._view.go_to
        self.first: int = 0
        for self.last in (): ...
        with open() as self.file: ...
        other.name = 1
    def __init__(self): ...
"""
    offers = public_names({"planted.base": base, "planted.part": part})
    inherited = {"opened", "size", "close", "closed"}
    own = {"title", "go_to", "first", "last", "file"}
    assert offers["planted.part.Part"] == inherited | own


def public_names(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return what each class of these modules offers, by its full name.

    That is methods, properties, signals, other class attributes, and whatever is assigned to `self`
    in any method; what it inherits from a class of these modules, too.
    """
    own: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for module, text in sources.items():
        tree = ast.parse(text)
        known = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                name = f"{module}.{node.name}"
                own[name] = {each for each in _offered(node) if not each.startswith("_")}
                given = [base.id for base in node.bases if isinstance(base, ast.Name)]
                bases[name] = [known.get(base, f"{module}.{base}") for base in given]

    def offered(name: str) -> set[str]:
        return own.get(name, set()).union(*map(offered, bases.get(name, [])))

    return {name: offered(name) for name in own}


def _offered(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            yield item.name
            for part in ast.walk(item):
                if (
                    isinstance(part, ast.Attribute)
                    and isinstance(part.ctx, ast.Store)
                    and isinstance(part.value, ast.Name)
                    and part.value.id == "self"
                ):
                    yield part.attr
        for part in ast.walk(item) if isinstance(item, ast.Assign | ast.AnnAssign) else ():
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _is_contract(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
