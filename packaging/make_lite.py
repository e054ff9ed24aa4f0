"""Pack trained networks and prompt heads into the embedded model's one file.

    python packaging/make_lite.py lite.safetensors sam2_hiera_tiny.safetensors \\
        weights.safetensors more.safetensors --prompts prompts.safetensors \\
        --presence presence.safetensors

The image encoder takes 8 bits a weight, per output channel; all else half floats. The heads that
turn clicks into masks use the encoder that propagation uses. Means of weights are better on what
none of them saw (Wortsman et al., 2022): of the trained networks, which began from one another, a
file named twice counting twice, and of SAM 2's own heads with `--prompts`, what lite-prompts.toml
made of them. The presence head with `--presence` is what fit_presence.py fitted on the network.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.sam.heads import HEADS
from models.weights import compact
from models.weights.checkpoint import read_state

State = dict[str, Tensor]

_TUNED = 0.75  # of the way from SAM 2's heads to the fine-tuned ones
_NOTICE = {
    "licence": "Apache-2.0; see the model card beside this file",
    "notice": "Image encoder, prompt encoder and mask decoder: SAM 2 Hiera-Tiny, Copyright Meta "
    "Platforms, Inc. and affiliates, Apache License 2.0; the encoder quantised, the other two "
    "changed by further training. The rest: Maskwright.",
}


def main() -> int:
    """Write the file and say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("sam2", type=Path)
    parser.add_argument("trained", type=Path, nargs="+")
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--presence", type=Path)
    arguments = parser.parse_args()
    state, heads = _mean([read_state(path) for path in arguments.trained]), _heads(arguments.sam2)
    if arguments.prompts is not None:
        tuned = _heads(arguments.prompts)
        heads |= {name: heads[name].lerp(part, _TUNED) for name, part in tuned.items()}
    if arguments.presence is not None:
        heads |= read_state(arguments.presence)
    small = compact.shrink(state | heads, lambda name: name.startswith("pixel_encoder."))
    compact.save(arguments.out, small, notice=_NOTICE)
    sys.stdout.write(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB\n")
    return 0


def _heads(path: Path) -> State:
    state = read_state(path)
    return {name: value.float() for name, value in state.items() if name.startswith(HEADS)}


def _mean(states: Sequence[State]) -> State:
    first = states[0]
    return {
        name: torch.stack([state[name].float() for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }


if __name__ == "__main__":
    sys.exit(main())
