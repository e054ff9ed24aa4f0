"""What lite's process holds of the system's memory."""

import sys
from pathlib import Path

import numpy as np
import pytest

from models.runtime.memory import give_back_memory


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="only there is it told and given back")
def test_what_was_freed_is_given_back() -> None:
    # Small enough that the C library keeps them for later, with one in use above them.
    blocks = [np.ones(10_000, np.uint8) for _ in range(6_000)]
    last = np.ones(10_000, np.uint8)
    del blocks
    before = resident()
    give_back_memory()
    assert (before - resident()) * 4096 > 30_000_000
    assert last.any()
