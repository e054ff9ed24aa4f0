"""Run first in a Linux bundle: torch is not to put kernels of CUDA's in place of its own."""

import sys
import types

sys.modules["torch._native"] = types.ModuleType("torch._native")
