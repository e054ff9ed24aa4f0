"""What lite's process holds of the system's memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.runtime.memory import give_back_memory

_PROGRAM = """
import sys
from pathlib import Path
import torch
from models.runtime.memory import give_back_libraries

def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

image = torch.arange(3 * 64 * 64.0).reshape(1, 3, 64, 64)
layer = torch.nn.Conv2d(3, 8, 3)
found = layer(image)
before = resident()
give_back_libraries()
freed = before - resident()
assert torch.equal(layer(image), found)
sys.stdout.write(str(freed))
"""


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


@pytest.mark.skipif(sys.platform != "linux", reason="only there is it told and given back")
def test_what_started_torch_is_given_back_and_torch_works_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) > 20_000_000
