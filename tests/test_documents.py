"""The texts beside the code: links lead somewhere, commands exist, sizes stay small."""

import argparse
import re
import subprocess
from pathlib import Path

import pytest

from app.cli.bench.parsers import KINDS
from app.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
LONGEST_README = 150
LARGEST_PICTURE = 300_000
LARGEST_FILM = 2_500_000
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"maskwright ([a-z]+)\b")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def _texts() -> list[Path]:
    """Return the project's Markdown, as git knows it; a folder without git is looked through."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = listed.stdout.split() if listed.returncode == 0 else []
    return [ROOT / name for name in sorted(names)] or sorted(
        path for top in ("app", "models", "resources") for path in (ROOT / top).rglob("*.md")
    )


TEXTS = _texts()


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    targets = [link for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in targets if not _exists(path, link)]
    assert missing == []


def _exists(path: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = path.parent / name if name else path
    if not heading:
        return target.exists()
    lines = target.read_text(encoding="utf-8").splitlines()
    return heading in {_anchor(line) for line in lines if line.startswith("#")}


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\s-]", "", heading.lstrip("# ").casefold())
    return words.strip().replace(" ", "-")


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_commands_and_options_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    wrong = [line for line in _command_lines(text) if not _is_known(line)]
    assert wrong == []


def _command_lines(text: str) -> list[str]:
    """Return what stands behind `maskwright` in code: words and options."""
    code = re.findall(r"`(maskwright [^`]+)`", _FENCE.sub("", text))
    fences = "\n".join(_FENCE.findall(text)).splitlines()
    lines = [line.split("#")[0] for line in fences if "maskwright " in line]
    return [" ".join(line.split()) for line in (*code, *lines)]


def _is_known(line: str) -> bool:
    parts = line.split("maskwright ")[1:]
    return all(_fits(part.split("&&")[0]) for part in parts)


def _fits(words: str) -> bool:
    name, *_ = words.split()
    if name in {"--help", "--version"} or not name.isalpha() or name.isupper():
        return True
    return name in COMMANDS and set(_OPTION.findall(words)) <= _options(name)


def _options(name: str) -> set[str]:
    own = set(_all_options(COMMANDS[name].parser(name)))
    if name != "bench":
        return own
    return own.union(*(_all_options(kind.parser(name)) for kind in KINDS.values()))


def _all_options(parser: argparse.ArgumentParser) -> list[str]:
    found: list[str] = []
    for action in parser._actions:
        found += action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                found += _all_options(inner)
    return found


def test_the_readme_is_short_and_has_its_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_README
    for heading, command in (("Run", ".venv/bin/maskwright demo"), ("Test", "-m pytest")):
        section = text.split(f"\n## {heading}\n")[1]
        first = section.split("```sh\n")[1].splitlines()[0]
        assert command in first


def test_files_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:app|models|packaging|resources)/[\w/.-]+\.[a-z]+", text))
    assert len(named) > 5
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("room", ["app", "models"])
def test_files_and_folders_that_the_rooms_readme_names_exist(room: str) -> None:
    text = (ROOT / room / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+(?:/|\.py))`", text))
    assert len(named) > 20
    assert [name for name in sorted(named) if not _in_room(room, name)] == []


def _in_room(room: str, name: str) -> bool:
    return any((ROOT / top / name).exists() for top in (room, "."))


def test_pictures_are_small() -> None:
    pictures = {*(ROOT / "resources").rglob("*.png"), *(ROOT / "resources").rglob("*.webp")}
    sample = ROOT / "resources" / "sample"
    for path in pictures:
        if sample not in path.parents:
            most = LARGEST_FILM if path.suffix == ".webp" else LARGEST_PICTURE
            assert path.stat().st_size < most, path
