"""Where things lie: what is shipped with the program, and what belongs to the person using it.

The folders of the person are the platform's own (`platformdirs`), or all under the folder that the
environment variable MASKWRIGHT_HOME names. Nothing here makes a folder: whoever writes does.
"""

import os
from pathlib import Path

from platformdirs import PlatformDirs


def resources() -> Path:
    """Return the folder of shipped files, in an installation or in a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "resources"
    return installed if installed.is_dir() else here.parent / "resources"


def sample_folder() -> Path:
    """Return the folder of the bundled sample clip."""
    return resources() / "sample"


def data_folder() -> Path:
    """Return the per-user folder for what the program keeps: weights, autosaved projects."""
    return _home() or Path(_platform().user_data_dir)


def weights_folder() -> Path:
    """Return the per-user folder for downloaded weights."""
    return data_folder() / "weights"


def projects_folder() -> Path:
    """Return the per-user folder for projects that were not saved anywhere else."""
    return data_folder() / "projects"


def interactions_folder() -> Path:
    """Return the per-user folder for the logs of interactions."""
    return data_folder() / "interactions"


def cache_folder() -> Path:
    """Return the per-user folder for what can be computed again."""
    home = _home()
    return home / "cache" if home else Path(_platform().user_cache_dir)


def log_folder() -> Path:
    """Return the per-user folder for logs."""
    home = _home()
    return home / "logs" if home else Path(_platform().user_log_dir)


def settings_file() -> Path:
    """Return the per-user settings file."""
    return _settings_folder() / "settings.toml"


def _settings_folder() -> Path:
    return _home() or Path(_platform().user_config_dir)


def _home() -> Path | None:
    home = os.environ.get("MASKWRIGHT_HOME")
    return Path(home) if home else None


def _platform() -> PlatformDirs:
    return PlatformDirs("maskwright", appauthor=False)
