"""Change the code in small ways, one at a time, and print the changes that no test notices.

    python packaging/mutate.py [PATH ...] --count 40 --seed 0 --processes 2

A copy of the source is changed, never the source itself. A change is made inside a function, and
those tests of the changed file's own folder run that enter this function, the quickest first, until
one fails. Which tests those are is found out by one run of the folder's tests, kept in `--maps`.
Every set of tests runs in a fork of a process that has imported the large libraries already (so not
on Windows), and within a limit of processor time: a change that makes a loop endless is noticed.
Thresholds at the head of a file are left alone: they are measured, and a test of their values says
nothing. A survivor is either the same in effect, or a test is missing. (Of a function in a cache
only the first test that needs it is known to enter it: try its survivors with all tests by hand.)
The last line is the share noticed.
"""

import argparse
import ast
import copy
import functools
import importlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("app", "models", "resources", "tests", "pyproject.toml", "README.md", "NOTICE")
PLACES = (
    "app/core", "app/batch", "app/engine", "app/session", "app/storage", "models/classic",
    "models/cutie", "models/sam", "models/vmos",
)  # fmt: skip
LEFT_OUT = {"app/batch/videos/workers/cluster.py"}  # its test needs the extra `ray`
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
# Imported once, before the forks; none of them imports the project.
_LARGE = ("av", "cv2", "numpy", "PySide6.QtWidgets", "scipy.ndimage", "torch",
          "torchvision")  # fmt: skip
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """One change: the bytes `start` to `stop` of a file become `text`."""

    path: Path
    function: int
    line: int
    start: int
    stop: int
    before: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.line}: {self.before}  ->  {self.text}"

    def applied(self, source: bytes) -> bytes:
        """Return the file with the change."""
        return source[: self.start] + self.text.encode() + source[self.stop :]


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every change of a file; `path` is relative to the project."""
    source = (ROOT / path).read_bytes()
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for function, node in _changeable(ast.parse(source)):
        for text in _variants(node):
            start = lines[node.lineno - 1] + node.col_offset
            stop = lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            yield Mutant(path, function, node.lineno, start, stop, ast.unparse(node), text)


def _changeable(tree: ast.AST) -> Iterator[tuple[int, ast.expr | ast.stmt]]:
    """Yield what is carried out in functions, with the first line of the function.

    No annotations, messages or decorators.
    """
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
            for statement in function.body:
                yield from ((first, node) for node in _inside(statement))


def _inside(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.FunctionDef) or _is_log(node):
        return
    if isinstance(node, ast.expr | ast.stmt):
        yield node
    for name, value in ast.iter_fields(node):
        if name != "annotation":
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _inside(child)


def _is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")


def _variants(node: ast.expr | ast.stmt) -> Iterator[str]:
    """Yield what may stand in a node's place."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            yield _with(node, ops=[_SWAPS[type(op)]()])
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in _SWAPS:
            yield _with(node, op=_SWAPS[type(op)]())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield str(value + 1)
        case ast.Name(id=name) if name in _NAMES:
            yield _NAMES[name]
        case ast.Expr(value=ast.Call(func=called)) if not ast.unparse(called).startswith("log."):
            yield "pass"
        case ast.Continue():
            yield "break"
        case ast.Break():
            yield "continue"


def _with(node: ast.expr, **changes: object) -> str:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return f"({ast.unparse(changed)})"


class Coverage:
    """A plugin of pytest: the functions of the project that each test enters, and its CPU time."""

    def __init__(self, tree: Path) -> None:
        self._tree = f"{tree}/"
        self._entered: set[tuple[str, int]] = set()
        self.seconds: dict[str, float] = {}
        self.tests: defaultdict[str, list[str]] = defaultdict(list)

    def _trace(self, frame: FrameType, _event: str, _argument: object) -> None:
        self._entered.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Write down what is entered from the test's set-up to the end of its tear-down."""
        self._entered.clear()
        start = time.process_time()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self.seconds[item.nodeid] = time.process_time() - start
            for name, line in list(self._entered):
                if name.startswith(self._tree):
                    self.tests[f"{name.removeprefix(self._tree)}:{line}"].append(item.nodeid)


class Run(NamedTuple):
    """What the runs of one command share: where the maps lie, and a limit.

    A set of tests may take `limit_s` of processor time more than twice what it took unchanged.
    """

    maps: Path
    limit_s: float

    def survives(self, mutant: Mutant, tree: Path) -> bool:
        """Whether the tests of the file's folder pass with the change; the tree is put right."""
        target = tree / mutant.path
        source = target.read_bytes()
        target.write_bytes(mutant.applied(source))
        try:
            return _passes(tree, *self._tests(mutant))
        finally:
            target.write_bytes(source)

    def make_maps(self, folders: Iterable[str], tree: Path) -> None:
        """Write down which tests enter which function, for the folders where that is not known."""
        for folder in folders:
            if not self._map(folder).exists():
                _fork(functools.partial(_write_map, tree, folder, self._map(folder)), None)

    def _map(self, folder: str) -> Path:
        return self.maps.resolve() / f"{folder.replace('/', '-')}.json"

    def _tests(self, mutant: Mutant) -> tuple[list[str], float]:
        """Return the tests that enter the changed function, the quickest first, and their limit.

        Where none does, as in a thread of Qt's, all tests of the folder.
        """
        folder = test_folder(mutant.path)
        seconds, entering = _known(self._map(folder))
        tests = entering.get(f"{mutant.path.as_posix()}:{mutant.function}")
        if tests is None:
            return [folder], self.limit_s + 2 * sum(seconds.values())
        tests = sorted(tests, key=lambda name: seconds[name])
        return tests, self.limit_s + 2 * sum(seconds[name] for name in tests)


@functools.cache
def _known(path: Path) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Return a map: the seconds of each test, and the tests that enter each function."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return found["seconds"], found["tests"]


def test_folder(path: Path) -> str:
    """Return the folder of the tests of a file."""
    return "tests/models" if path.parts[0] == "models" else f"tests/{path.parts[1]}"


def _write_map(tree: Path, folder: str, target: Path) -> int:
    coverage = Coverage(tree)
    _pytest(tree, ["-q", folder], coverage)
    found = {"seconds": coverage.seconds, "tests": coverage.tests}
    target.write_text(json.dumps(found), encoding="utf-8")
    return 0


def _passes(tree: Path, tests: Sequence[str], limit_s: float) -> bool:
    return _fork(functools.partial(_pytest, tree, ["-qx", *tests]), limit_s)


def _pytest(tree: Path, arguments: Sequence[str], *plugins: object) -> int:
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    options = ["-p", "no:cacheprovider", "--hypothesis-seed=0"]
    return pytest.main([*options, *arguments], plugins)


def _fork(work: functools.partial[int], limit_s: float | None) -> bool:
    """Whether `work`, done in a fork of this process without output, returns 0 within the limit.

    The limit is one of processor time, and five times as much for one that waits.
    """
    child = os.fork()
    if not child:
        code = 1
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            if limit_s is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 1))
            code = work()
        finally:
            os._exit(int(code))
    end = time.monotonic() + 5 * limit_s if limit_s is not None else float("inf")
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.05)


def sampled(places: Iterable[str], count: int, seed: int) -> list[Mutant]:
    """Return as many changes of the files in `places` as asked for, the same for one seed."""
    files = sorted({path for place in places for path in _sources(ROOT / place)})
    names = [path.relative_to(ROOT) for path in files]
    kept = [name for name in names if name.as_posix() not in LEFT_OUT]
    found = [mutant for name in kept for mutant in mutants(name)]
    return random.Random(seed).sample(found, min(count, len(found)))


def _sources(place: Path) -> Iterable[Path]:
    return place.rglob("*.py") if place.is_dir() else [place]


def _copied(tree: Path) -> Path:
    for name in COPIED:
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copied(ROOT / name, tree / name)
    return tree


def _try(run: Run, chosen: Sequence[tuple[int, Mutant]], tree: Path) -> list[bool]:
    """Return whether each change survives, and print it at once."""
    survivors = []
    for number, mutant in chosen:
        survivors.append(run.survives(mutant, tree))
        verdict = "SURVIVED" if survivors[-1] else "noticed"
        sys.stdout.write(f"{number} {verdict} {mutant}\n")
        sys.stdout.flush()
    return survivors


def _prepare() -> None:
    """Import the large libraries, with one thread each and without bytecode of what is changed."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1",
                   "PYTHONDONTWRITEBYTECODE": "1", "QT_QPA_PLATFORM": "offscreen"}  # fmt: skip
    sys.dont_write_bytecode = True
    for name in _LARGE:
        with suppress(ImportError):
            importlib.import_module(name)


def main() -> int:
    """Try the sampled changes, print the survivors and the share that was noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("places", nargs="*", default=PLACES, metavar="PATH")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the changes to try again")
    parser.add_argument(
        "--limit", type=float, default=20, help="CPU seconds beyond twice the usual"
    )
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--maps", type=Path, help="a folder; delete it after tests were added")
    arguments = parser.parse_args()
    numbered = list(enumerate(sampled(arguments.places, arguments.count, arguments.seed), 1))
    chosen = [each for each in numbered if not arguments.only or each[0] in arguments.only]
    shares = [chosen[first :: arguments.processes] for first in range(arguments.processes)]
    _prepare()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [Path(folder, str(number)) for number in range(arguments.processes)]
        for tree in trees:
            tree.mkdir()
            _copied(tree)
        run = Run(arguments.maps or Path(folder), arguments.limit)
        run.maps.mkdir(parents=True, exist_ok=True)
        run.make_maps(sorted({test_folder(mutant.path) for _, mutant in chosen}), trees[0])
        context = multiprocessing.get_context("fork")
        with context.Pool(arguments.processes) as pool:
            tried = pool.starmap(_try, zip([run] * len(shares), shares, trees, strict=True), 1)
    alive = sum(map(sum, tried))
    share = 1 - alive / max(1, len(chosen))
    sys.stdout.write(f"{len(chosen) - alive} of {len(chosen)} noticed ({share:.0%})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
