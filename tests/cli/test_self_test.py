"""`maskwright --self-test`: the main job, then what is missing."""

from pathlib import Path

import pytest

from app.cli.demo import self_test
from app.cli.machine.doctor import Finding
from app.cli.main import run


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where the loop has written; the loop itself has tests of its own."""
    found: list[Path] = []

    def loop(out: Path, _model: str | None, _options: object) -> str:
        (out / "visor.json").write_text("{}")
        found.append(out)
        return "J&F .9\n"

    monkeypatch.setattr(self_test, "run_loop", loop)
    return found


@pytest.mark.parametrize("word", ["--self-test", "self-test"])
def test_it_runs_the_main_job_and_leaves_nothing_behind(
    word: str, loops: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([word, "--device", "cpu"]) == 0
    assert "J&F .9" in capsys.readouterr().out
    assert len(loops) == 1
    assert not loops[0].exists()


@pytest.mark.usefixtures("loops")
def test_what_is_missing_is_named_and_what_is_fine_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = Finding("Python", "3.11")
    note = Finding("Weights", "none fetched", "Get them.")
    broken = Finding("Window", "Qt cannot be loaded", "Install its libraries.", is_fatal=True)
    monkeypatch.setattr(self_test, "findings", lambda _device: iter([fine, note]))
    assert run(["--self-test"]) == 0
    said = capsys.readouterr().out
    assert "Get them." in said
    assert "3.11" not in said
    monkeypatch.setattr(self_test, "findings", lambda _device: iter([fine, note, broken]))
    assert run(["--self-test"]) == 1
    heard = capsys.readouterr()
    assert "Install its libraries." in heard.out
    assert "Window" in heard.err.splitlines()[-1]
