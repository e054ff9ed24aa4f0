"""Random work in the real window: no mask on what it does not belong to, nothing lost unsaid.

`MASKWRIGHT_STEPS` is how many steps are made in all, a few hundred where it is not set.
"""

import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.errors import ProjectError
from app.storage.project.project import Project
from tests.gui.window_player import Player

STEPS = int(os.environ.get("MASKWRIGHT_STEPS", "600"))
RUNS = max(2, STEPS // 400)


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_mask_lands_where_it_does_not_belong_and_none_is_lost(
    tmp_path: Path, qtbot: QtBot, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    player: Player | None = None
    check = Project.check_place

    def check_place(project: Project) -> None:
        if player is not None and player.is_full:
            raise ProjectError("The disk is full.")
        check(project)

    monkeypatch.setattr(Project, "check_place", check_place)
    monkeypatch.setattr("app.session.files.autosave._SOON_MS", 1)
    monkeypatch.setattr("app.session.files.autosave._RETRY_MS", 20)
    monkeypatch.setattr("app.session.files.autosave.log.disabled", True)  # it would tell each time
    player = Player(tmp_path, qtbot, seed)
    try:
        for _ in range(STEPS // RUNS):
            player.step()
        player.end()
    finally:
        player.shut()
