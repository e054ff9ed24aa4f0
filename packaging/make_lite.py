"""Pack a trained network and SAM 2's prompt heads into the embedded model's one file.

    python packaging/make_lite.py weights.safetensors sam2_hiera_tiny.safetensors lite.safetensors

The image encoder takes 8 bits a weight, per output channel; all else half floats. The heads that
turn clicks into masks are SAM 2's own, and so is the encoder they share with propagation.
"""

import argparse
import sys
from pathlib import Path

from models import compact
from models.checkpoint import read_state

_HEADS = ("sam_prompt_encoder.", "sam_mask_decoder.", "no_mem_embed")
_NOTICE = {
    "licence": "Apache-2.0; see the model card beside this file",
    "notice": "Image encoder, prompt encoder and mask decoder: SAM 2 Hiera-Tiny, Copyright Meta "
    "Platforms, Inc. and affiliates, Apache License 2.0, quantised. The rest: Maskwright.",
}


def main() -> int:
    """Write the file and say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("trained", type=Path)
    parser.add_argument("sam2", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    state = read_state(arguments.trained)
    heads = read_state(arguments.sam2)
    state |= {name: value for name, value in heads.items() if name.startswith(_HEADS)}
    small = compact.shrink(state, lambda name: name.startswith("pixel_encoder."))
    compact.save(arguments.out, small, notice=_NOTICE)
    sys.stdout.write(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
