"""Change the code in small ways, one at a time, and print the changes that no test notices.

    python packaging/mutate.py [PATH ...] --count 40 --seed 0

A copy of the source is changed, never the source itself. A change is made inside a function, and
the tests of the changed file's own folder run: those that import the file first. Thresholds at the
head of a file are left alone: they are measured, and a test of their values says nothing.
A survivor is either the same in effect, or a test is missing. The last line is the share noticed.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("app", "models", "resources", "tests", "pyproject.toml", "README.md", "NOTICE")
PLACES = (
    "app/core", "app/batch", "app/engine", "app/session", "app/storage", "models/classic",
    "models/cutie", "models/sam", "models/vmos",
)  # fmt: skip
LEFT_OUT = {"app/batch/videos/cluster.py"}  # its test needs the extra `ray`
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """One change: the bytes `start` to `stop` of a file become `text`."""

    path: Path
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
    for node in _changeable(ast.parse(source)):
        for text in _variants(node):
            start = lines[node.lineno - 1] + node.col_offset
            stop = lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            yield Mutant(path, node.lineno, start, stop, ast.unparse(node), text)


def _changeable(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what is carried out in functions: no annotations, messages or decorators."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                yield from _inside(statement)


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


def survives(mutant: Mutant, tree: Path, limit_s: float) -> bool:
    """Whether all tests of the file's own folder pass with the change; the tree is put right."""
    target = tree / mutant.path
    source = target.read_bytes()
    target.write_bytes(mutant.applied(source))
    try:
        return all(_pass(tree, tests, limit_s) for tests in test_files(mutant.path))
    finally:
        target.write_bytes(source)


def test_files(path: Path) -> list[list[str]]:
    """Return the tests of a file's own folder: those that import it, and the others."""
    folder = "tests/models" if path.parts[0] == "models" else f"tests/{path.parts[1]}"
    module = ".".join(path.with_suffix("").parts)
    imported: list[str] = []
    others: list[str] = []
    for each in sorted((ROOT / folder).rglob("test_*.py")):
        chosen = imported if f"{module} import" in each.read_text(encoding="utf-8") else others
        chosen.append(each.relative_to(ROOT).as_posix())
    return [tests for tests in (imported, others) if tests]


def _pass(tree: Path, tests: Sequence[str], limit_s: float) -> bool:
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider",
               "--hypothesis-seed=0", *tests]  # fmt: skip
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def sampled(places: Iterable[str], count: int, seed: int) -> list[Mutant]:
    """Return as many changes of the files in `places` as asked for, the same for one seed."""
    files = sorted({path for place in places for path in _sources(ROOT / place)})
    names = [path.relative_to(ROOT) for path in files]
    kept = [name for name in names if name.as_posix() not in LEFT_OUT]
    found = [mutant for name in kept for mutant in mutants(name)]
    return random.Random(seed).sample(found, min(count, len(found)))


def _sources(place: Path) -> Iterable[Path]:
    return place.rglob("*.py") if place.is_dir() else [place]


def main() -> int:
    """Try the sampled changes, print the survivors and the share that was noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("places", nargs="*", default=PLACES, metavar="PATH")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=300, help="seconds for one set of tests")
    arguments = parser.parse_args()
    chosen = sampled(arguments.places, arguments.count, arguments.seed)
    alive = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        for name in COPIED:
            copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copied(ROOT / name, tree / name)
        for number, mutant in enumerate(chosen, 1):
            survived = survives(mutant, tree, arguments.limit)
            alive += survived
            verdict = "SURVIVED" if survived else "noticed"
            sys.stdout.write(f"{number}/{len(chosen)} {verdict} {mutant}\n")
            sys.stdout.flush()
    share = 1 - alive / max(1, len(chosen))
    sys.stdout.write(f"{len(chosen) - alive} of {len(chosen)} noticed ({share:.0%})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
