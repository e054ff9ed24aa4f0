"""Pack a trained network and its prompt heads into the embedded model's one file.

    python packaging/make_lite.py weights.safetensors sam2_hiera_tiny.safetensors \\
        lite.safetensors --earlier weights-before.safetensors --prompts prompts.safetensors

The image encoder takes 8 bits a weight, per output channel; all else half floats. The heads that
turn clicks into masks use the encoder that propagation uses. Two means of weights are better than
either side of them on what neither saw (Wortsman et al., 2022): `--earlier` are those that the
trained ones began from, `--prompts` the result of lite-prompts.toml beside SAM 2's own heads.
"""

import argparse
import sys
from pathlib import Path

from torch import Tensor

from models import compact
from models.checkpoint import read_state

State = dict[str, Tensor]

_HEADS = ("sam_prompt_encoder.", "sam_mask_decoder.", "no_mem_embed")
_LATER = 0.6  # of the way from the earlier weights to the trained ones
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
    parser.add_argument("trained", type=Path)
    parser.add_argument("sam2", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--earlier", type=Path)
    parser.add_argument("--prompts", type=Path)
    arguments = parser.parse_args()
    state, heads = read_state(arguments.trained), _heads(arguments.sam2)
    if arguments.earlier is not None:
        state = _between(read_state(arguments.earlier), state, _LATER)
    if arguments.prompts is not None:
        heads |= _between(heads, _heads(arguments.prompts), _TUNED)
    small = compact.shrink(state | heads, lambda name: name.startswith("pixel_encoder."))
    compact.save(arguments.out, small, notice=_NOTICE)
    sys.stdout.write(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB\n")
    return 0


def _heads(path: Path) -> State:
    state = read_state(path)
    return {name: value.float() for name, value in state.items() if name.startswith(_HEADS)}


def _between(before: State, after: State, share: float) -> State:
    """Return `share` of the way from `before` to `after`, which may hold fewer tensors."""
    return {
        name: before[name].float().lerp(value.float(), share)
        if value.is_floating_point()
        else value
        for name, value in after.items()
    }


if __name__ == "__main__":
    sys.exit(main())
