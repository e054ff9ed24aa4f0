"""Settings: only what differs is kept, and no file can keep the program from starting."""

import os
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import paths
from app.core.heal import Rules
from app.storage.files.toml import dump
from app.storage.settings import FIELDS, Field, Settings, field_of, load, save
from models import registry
from tests.waiting import PATIENCE


def loaded(path: Path) -> tuple[Settings, list[str]]:
    warnings: list[str] = []
    return load(path, warnings.append), warnings


def test_without_a_file_everything_is_at_its_default(tmp_path: Path) -> None:
    assert loaded(tmp_path / "settings.toml") == (Settings(), [])


def test_the_file_holds_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    chosen = replace(
        Settings(), theme="dark", undo_limit=77, iou_gate=0.25, autosave_folder='A "B" \\ ü\n'
    )
    save(path, chosen)
    assert set(tomllib.loads(path.read_text())) == {
        "theme",
        "undo_limit",
        "iou_gate",
        "autosave_folder",
    }
    assert loaded(path) == (chosen, [])
    save(path, Settings())
    assert path.read_text() == ""


def test_what_another_version_wrote_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        'theme = "dark"\nfuture = {a = [1, 2.5, "x"], on = 2026-01-02}\n[more]\nb = true\n'
    )
    before = tomllib.loads(path.read_text())
    settings, warnings = loaded(path)
    assert warnings == []
    save(path, replace(settings, theme="light"))
    assert tomllib.loads(path.read_text()) == {**before, "theme": "light"}


@pytest.mark.parametrize(
    "content",
    [
        b"theme = = dark", b"\xff\xfe\x00", b"a = 1\na = 2", b"a = " + b"[" * 100_000,
        b"theme = " + b"{a = " * 50_000, b"threads = " + b"9" * 5000, "a = 1".encode("utf-16"),
    ],
)  # fmt: skip
def test_a_broken_file_is_set_aside_and_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    settings, warnings = loaded(path)
    assert settings == Settings()
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert (tmp_path / "settings.toml.broken").read_bytes() == content
    assert loaded(path) == (Settings(), [])


@pytest.mark.parametrize(
    "line",
    ['theme = "pink"', "undo_limit = -1", "undo_limit = 2.5", "undo_limit = true",
     'follow_playhead = "yes"', "iou_gate = nan", "iou_gate = 7", "autosave_folder = 3",
     "size = [1]"],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_passed_over_and_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"{line}\npalette = 'colour-blind'\n")
    settings, warnings = loaded(path)
    assert settings == replace(Settings(), palette="colour-blind")
    assert len(warnings) == 1
    assert line.split(maxsplit=1)[0] in warnings[0]


@pytest.mark.parametrize(
    "line",
    [
        "theme" + ".a" * 3000 + " = 1", "[theme" + ".a" * 3000 + "]", "threads = 0x" + "f" * 9000,
        "theme = " + "[" * 100 + "]" * 100, 'autosave_folder = "a\\u0000b"',
    ],
)  # fmt: skip
def test_a_value_nested_or_endless_is_passed_over_and_does_no_harm_later(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"undo_limit = 77\n{line}\n")
    settings, warnings = loaded(path)
    assert settings == replace(Settings(), undo_limit=77)
    assert len(warnings) == 1
    assert len(warnings[0]) < 400
    save(path, replace(settings, ui_scale=2.0))
    assert loaded(path)[0] == replace(settings, ui_scale=2.0)


def test_what_another_version_nested_without_end_does_not_keep_a_change_from_being_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("future" + ".a" * 3000 + " = 1\n")
    save(path, replace(Settings(), undo_limit=77))
    assert loaded(path) == (replace(Settings(), undo_limit=77), [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'autosave_folder = "caf\xe9"', "it is not UTF-8 text"),
        ("theme = 'dark'".encode("utf-16"), "it is not UTF-8 text"),
        (b"\xff" * 100_000, "more than 65,536 bytes"),
        (b"#" * 10_000_000, "more than 65,536 bytes"),
        (b"a" + b".a" * 30_000 + b" = 1", "nested without end"),
        (b"[a" + b".a" * 30_000 + b"]", "nested without end"),
        (b"x = " + b"[" * 20_000, "nested without end"),
        (b"theme = dark", "line 1"),
        (b'{"theme": "dark"}', "line 1"),
    ],
)
def test_why_a_file_cannot_be_used_is_said_in_words_and_at_once(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    begun = time.monotonic()
    settings, (warning,) = loaded(path)
    assert time.monotonic() - begun < PATIENCE
    assert settings == Settings()
    assert words in warning
    assert "codec" not in warning
    assert "recursion" not in warning


def make_folder(path: Path) -> None:
    path.mkdir()


def make_circle(path: Path) -> None:
    path.symlink_to(path)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("make", [make_folder, make_circle, make_device, make_pipe])
def test_what_is_no_file_does_not_keep_the_program_from_starting(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "settings.toml"
    make(path)
    settings, (warning,) = loaded(path)
    assert settings == Settings()
    assert str(path) in warning


def test_a_mark_before_the_text_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbfundo_limit = 77\n")
    assert loaded(path) == (replace(Settings(), undo_limit=77), [])


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_setting_accepts_what_it_says_and_no_more(field: Field) -> None:
    default = field.default
    if isinstance(default, bool):
        assert field.accepts(not default)
        assert not any(field.accepts(value) for value in (0, 1, "yes", None))
    elif isinstance(default, str):
        others = [choice.value for choice in field.choices]
        assert all(field.accepts(value) for value in others)
        assert field.accepts("something else") is (field.is_open or not others)
        assert not any(field.accepts(value) for value in (0, True, None, [default]))
    else:
        step = 1 if isinstance(default, int) else 1e-9
        assert field.accepts(field.low)
        assert field.accepts(field.high)
        beyond = (field.low - step, field.high + step, str(default), True, None)
        assert not any(field.accepts(value) for value in beyond)
        between = field.low + 0.3 * (field.high - field.low)
        assert field.accepts(between) is isinstance(default, float)


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("overlay_opacity = 1")
    assert loaded(path) == (replace(Settings(), overlay_opacity=1.0), [])
    assert isinstance(loaded(path)[0].overlay_opacity, float)


def test_each_setting_has_one_row_and_a_default_that_it_accepts() -> None:
    assert [field.name for field in FIELDS] == [field.name for field in fields(Settings)]
    for field in FIELDS:
        assert field.accepts(field.default)
        assert field.label
        assert field.tooltip.endswith((".", "1)."))


def test_defaults_agree_with_the_heal() -> None:
    chosen, rules = Settings(), Rules()
    assert chosen.heal_iou == rules.iou
    assert chosen.heal_boundary == rules.boundary
    assert chosen.heal_area == rules.area
    assert chosen.heal_patience == rules.patience
    assert chosen.conflict == rules.conflict


def test_models_are_chosen_from_the_registry() -> None:
    for name in ("tracker", "segmenter", "refiner"):
        field = field_of(name)
        assert getattr(registry, field.models)()
        assert field.accepts("any-later-model")


values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.dates(min_value=date(1000, 1, 1)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text('ab. "ü', max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text('ab. -"ü', max_size=5), values, max_size=4))
def test_toml_comes_back_as_it_was_written(table: dict[str, object]) -> None:
    assert tomllib.loads(dump(table)) == table


def test_the_per_user_place_is_where_settings_go(home: Path) -> None:
    save(paths.settings_file(), replace(Settings(), theme="dark"))
    assert paths.settings_file().is_relative_to(home)
    assert load(paths.settings_file()).theme == "dark"
