"""torch's libraries, loaded so that the other threads of the program go on meanwhile."""

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_NAMES = {"linux": "libtorch.so", "darwin": "libtorch.dylib"}


def load_ahead() -> None:
    """Load the libraries that `import torch` would load, if it is installed and not imported yet.

    The import holds Python's lock while the system does that, half a second in which a window
    stands still; a foreign function does not. Where they cannot be loaded alone nothing is
    said: the import that follows loads them, or says why not.
    """
    name = _NAMES.get(sys.platform)
    if name is None or "torch" in sys.modules:
        return
    spec = importlib.util.find_spec("torch")
    for folder in (spec and spec.submodule_search_locations) or ():
        load = ctypes.CDLL(None).dlopen
        load.restype, load.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
        load(os.fsencode(Path(folder) / "lib" / name), os.RTLD_LAZY)
