"""Networks in the .tflite format, run by torch.

The operators are those of MediaPipe's hand models. Tensors are (B, H, W, C), as the format has it;
convolutions see a permuted view of them, which torch computes as it lies in memory.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from models.api import WeightsInvalidError
from models.text.hands.flatbuffer import Table

_DTYPES = {0: "<f4", 1: "<f2", 2: "<i4", 4: "<i8"}


@dataclass(frozen=True, slots=True)
class _Step:
    """One operator: its function, the numbers of its inputs and of its output, its options."""

    operator: "Operator"
    inputs: tuple[int, ...]
    output: int
    options: Table


Operator = Callable[[Sequence[Tensor], Table], Tensor]


class Graph:
    """A network of a .tflite file. Owned by one thread."""

    def __init__(self, steps: Sequence[_Step], constants: dict[int, Tensor], ends: "_Ends") -> None:
        self._steps = steps
        self._constants = constants
        self._ends = ends

    @classmethod
    def load(cls, path: Path, device: torch.device) -> "Graph":
        """Return the network in the file. Raises WeightsInvalidError where it holds none."""
        try:
            return cls.read(path.read_bytes(), device)
        except (struct.error, ValueError, KeyError, IndexError, StopIteration) as error:
            raise WeightsInvalidError(
                f"{path} is no network that this program can run: it is truncated or of another "
                f"kind. Delete it and get it again: `maskwright models get hands`."
            ) from error

    @classmethod
    def read(cls, content: bytes, device: torch.device) -> "Graph":
        """Return the network that `content` describes; see Table for what it may raise."""
        if content[4:8] != b"TFL3":
            raise ValueError("no .tflite file")
        model = Table.root(content)
        graph = next(model.tables(2))
        constants = _constants(graph, list(model.tables(4)), device)
        # Numbers above 127 have a field of their own, those below lie in the older one, too.
        codes = [max(code.number(0, "b"), code.number(3)) for code in model.tables(1)]
        steps = _folded(
            [_step(operator, codes, content) for operator in graph.tables(3)], constants
        )
        ends = _Ends(int(graph.array(1, "<i4")[0]), tuple(graph.array(2, "<i4").tolist()))
        return cls(steps, constants, ends)

    def run(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the network's outputs for images (B, H, W, 3), 0 to 1."""
        known = {**self._constants, self._ends.input: images}
        for step in self._steps:
            known[step.output] = step.operator([known[k] for k in step.inputs], step.options)
        return tuple(known[number] for number in self._ends.outputs)


@dataclass(frozen=True, slots=True)
class _Ends:
    input: int
    outputs: tuple[int, ...]


def _folded(steps: Sequence[_Step], constants: dict[int, Tensor]) -> list[_Step]:
    """Compute once what depends on constants alone: weights, kept in half the bytes."""
    left = []
    for step in steps:
        if all(number in constants for number in step.inputs):
            values = [constants[number] for number in step.inputs]
            constants[step.output] = step.operator(values, step.options)
        else:
            left.append(step)
    return left


def _step(operator: Table, codes: Sequence[int], content: bytes) -> _Step:
    inputs = tuple(number for number in operator.array(1, "<i4").tolist() if number >= 0)
    output = int(operator.array(2, "<i4")[0])
    code = codes[operator.number(0, "I")]
    return _Step(_OPERATORS[code], inputs, output, operator.table(4) or Table(content, 0))


def _constants(graph: Table, buffers: Sequence[Table], device: torch.device) -> dict[int, Tensor]:
    """Return the tensors that the file holds, by number."""
    constants = {}
    for number, tensor in enumerate(graph.tables(0)):
        content = buffers[tensor.number(2, "I")].array(0, "u1")
        if content.size:
            values = content.view(_DTYPES[tensor.number(1, "b")]).copy()
            shape = tensor.array(0, "<i4").tolist()
            constants[number] = torch.from_numpy(values).reshape(shape).to(device)
    return constants


def _convolve(inputs: Sequence[Tensor], options: Table) -> Tensor:
    image, kernel, bias = inputs
    stride = options.number(2), options.number(1)
    padded = _padded(image, kernel.shape[1:3], stride, same=options.number(0, "b") == 0)
    return _activated(
        F.conv2d(padded, kernel.permute(0, 3, 1, 2), bias, stride).permute(0, 2, 3, 1),
        options.number(3, "b"),
    )


def _convolve_depthwise(inputs: Sequence[Tensor], options: Table) -> Tensor:
    image, kernel, bias = inputs
    stride = options.number(2), options.number(1)
    padded = _padded(image, kernel.shape[1:3], stride, same=options.number(0, "b") == 0)
    return _activated(
        F.conv2d(padded, kernel.permute(3, 0, 1, 2), bias, stride, groups=image.shape[-1]).permute(
            0, 2, 3, 1
        ),
        options.number(4, "b"),
    )


def _pool(inputs: Sequence[Tensor], options: Table) -> Tensor:
    window = options.number(4), options.number(3)
    stride = options.number(2), options.number(1)
    same = options.number(0, "b") == 0
    padded = _padded(inputs[0], window, stride, same=same, value=-torch.inf)
    return _activated(
        F.max_pool2d(padded, window, stride).permute(0, 2, 3, 1), options.number(5, "b")
    )


def _padded(
    image: Tensor,
    window: Sequence[int],
    stride: Sequence[int],
    *,
    same: bool,
    value: float = 0.0,
) -> Tensor:
    """Return (B, H, W, C) as (B, C, H, W), widened so that windows cover it where `same`.

    An odd pixel goes to the bottom and the right.
    """
    image = image.permute(0, 3, 1, 2)
    if not same:
        return image
    margins: list[int] = []
    for size, width, step in zip(image.shape[:1:-1], window[::-1], stride[::-1], strict=True):
        wanted = max((-(-size // step) - 1) * step + width - size, 0)
        margins += [wanted // 2, wanted - wanted // 2]
    return F.pad(image, margins, value=value) if any(margins) else image


def _add(inputs: Sequence[Tensor], options: Table) -> Tensor:
    return _activated(inputs[0] + inputs[1], options.number(0, "b"))


def _connect(inputs: Sequence[Tensor], options: Table) -> Tensor:
    flat, weight, bias = inputs
    return _activated(
        F.linear(flat.reshape(-1, weight.shape[1]), weight, bias), options.number(0, "b")
    )


def _activated(tensor: Tensor, kind: int) -> Tensor:
    match kind:
        case 0:
            return tensor
        case 1:
            return tensor.relu()
        case 3:
            return tensor.clamp(0, 6)
    raise ValueError(f"activation {kind}")


def _pad(inputs: Sequence[Tensor], options: Table) -> Tensor:  # noqa: ARG001
    margins = inputs[1].flip(0).flatten().tolist()
    return F.pad(inputs[0], margins)


def _resize(inputs: Sequence[Tensor], options: Table) -> Tensor:
    if not options.number(3, "b"):
        raise ValueError("a resize that does not take pixels by their centres")
    image = inputs[0].permute(0, 3, 1, 2)
    size = inputs[1].tolist()
    return F.interpolate(image, size, mode="bilinear", align_corners=False).permute(0, 2, 3, 1)


_OPERATORS: dict[int, Operator] = {
    0: _add,
    2: lambda inputs, options: torch.cat(list(inputs), options.number(0)),
    3: _convolve,
    4: _convolve_depthwise,
    6: lambda inputs, _: inputs[0].float(),
    9: _connect,
    14: lambda inputs, _: inputs[0].sigmoid(),
    17: _pool,
    22: lambda inputs, _: inputs[0].reshape(inputs[1].tolist()),
    23: _resize,
    34: _pad,
    40: lambda inputs, options: inputs[0].mean(
        inputs[1].tolist(), keepdim=bool(options.number(0, "b"))
    ),
    54: lambda inputs, _: inputs[0].clamp(min=0) + inputs[1] * inputs[0].clamp(max=0),
}
