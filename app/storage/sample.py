"""The bundled clip, where a person can work on it."""

import shutil
from pathlib import Path

from app import paths
from app.storage.files.writing import atomic_folder


def sample_frames() -> Path:
    """Return the frames of the bundled clip, as they are shipped."""
    return paths.sample_folder() / "frames"


def own_sample() -> Path:
    """Return the person's own copy of the frames, made where there is none yet.

    A project lies beside its video, and the folder of shipped files is no place to write to.
    """
    own = paths.data_folder() / "sample" / "frames"
    if not own.is_dir():
        own.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(own) as beside:
            for source in sorted(sample_frames().iterdir()):
                shutil.copyfile(source, beside / source.name)
    return own
