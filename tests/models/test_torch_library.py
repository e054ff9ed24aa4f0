"""Loading torch's library ahead of torch."""

import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from pathlib import Path
from models.runtime.torch_library import load_ahead
load_ahead()
assert "torch" not in sys.modules
assert "libtorch_cpu.so" in Path("/proc/self/maps").read_text()
import torch
load_ahead()
sys.stdout.write(str(int(torch.ones(3).sum())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system says what is loaded on Linux")
def test_the_library_is_there_before_torch_and_torch_works_with_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True
    )
    assert done.stdout == "3"
