import sys
from types import ModuleType

import pytest

from models.runtime.memory import device_memory


@pytest.mark.parametrize("half_imported", [False, True])
def test_nothing_is_told_before_torch_is_wholly_imported(
    monkeypatch: pytest.MonkeyPatch, *, half_imported: bool
) -> None:
    torch = ModuleType("torch")
    if half_imported:
        torch.__dict__["cuda"] = ModuleType("torch.cuda")
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert device_memory() is None
