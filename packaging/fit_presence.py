"""Fit the presence head of a memory network: is an object on a frame at all?

    python packaging/fit_presence.py resources/training/presence/lite.toml

The config names the data, what clips are made of it, and where the head is written. The network is
run as it is over clips in which objects leave and return, some with a double that stays, over clips
that are cut to another video, and over clips in which all stay. On each frame the evidence of each
object is kept, once where presence is judged by the truth and once by the head of the round before,
so that a head learns from what heads lead to. A head is the logistic regression on it, both answers
weighing the same. Clips that were looked at are kept: a run that was stopped goes on.
"""

import argparse
import sys
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from make_leaving import leaves  # type: ignore[import-not-found]  # lies beside this script
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.cutie.inference.geometry import Geometry
from models.cutie.inference.presence.evidence import NAMES, FrameMaps, Seen, measure
from models.cutie.inference.presence.learned import LearnedPresence
from models.cutie.inference.presence.usual import winner
from models.cutie.inference.propagation import EncodedFrame, Propagation
from models.cutie.loader import MODELS, network_part, prepare_for_inference
from models.cutie.network.network import Network
from models.cutie.network.presence_head import PRESENCE, PresenceHead
from models.training.data.pasting import PasteSource
from models.training.data.pictures import Frame
from models.training.data.sequences import DavisSource, seeded
from models.weights.checkpoint import load_strict, read_state

KINDS = ("double", "leaving", "leaving", "double", "cut", "staying")
CUT = 14  # frames after a cut
THERE = 20  # pixels, from which an object is there
ALIKE = 0.15  # IoU with the truth, from which a mask is the object's
DECAY = 1e-2  # of weights
SURE = 0.5


@dataclass(frozen=True)
class Config:
    """What is fitted on what; paths may begin with `${NAME}` of the environment."""

    davis: Path
    weights: Path
    out: Path
    train: tuple[str, ...]
    calibrate: tuple[str, ...]
    size: tuple[int, int]
    length: int
    clips: int  # of each round, for training; a third as many are held out
    rounds: int
    seed: int


class Judged(NamedTuple):
    """The evidence of objects on frames (N, E), and whether each was there (N,) bool."""

    evidence: Tensor
    there: Tensor


class Recorder(LearnedPresence):
    """A presence that keeps its evidence; it judges by the truth where it is given no head."""

    def __init__(self, head: PresenceHead | None, propagation: Propagation) -> None:
        presence = propagation.config.presence
        assert presence is not None
        super().__init__(head or PresenceHead(len(NAMES)), presence)
        self.judges = head is not None
        self.truth = np.zeros((1, 1), np.uint8)
        self.rows: list[tuple[Tensor, bool]] = []

    def absent(self, maps: FrameMaps, objects: Sequence[int], given: Collection[int]) -> list[int]:
        """Return the objects that are not there."""
        known = [self._known[each] for each in objects]
        evidence = measure(maps, Seen.of(maps.probability, maps.pix_feat, maps.enriched), known)
        labels = winner(maps.probability).numpy()
        gone = super().absent(maps, objects, given)
        for slot, object_id in enumerate(objects):
            true, found = self.truth == object_id, labels == slot + 1
            is_there = int(true.sum()) >= THERE
            iou = (true & found).sum() / max((true | found).sum(), 1)
            # By its own judgement a mask that lies elsewhere is none of the object.
            there = bool(is_there and (not self.judges or iou >= ALIKE))
            self.rows.append((evidence[slot], there))
            if not self.judges and is_there == (object_id in gone):
                gone = sorted({*gone} ^ {object_id})
        return gone


def read_config(path: Path) -> Config:
    """Return the config of a TOML file."""
    import os  # noqa: PLC0415

    table: dict[str, Any] = tomllib.loads(os.path.expandvars(path.read_text(encoding="utf-8")))
    for name in ("davis", "weights", "out"):
        table[name] = Path(table[name])
    for name in ("train", "calibrate", "size"):
        table[name] = tuple(table[name])
    return Config(**table)


def make_clip(config: Config, names: Sequence[str], number: int) -> list[Frame]:
    """Return the clip of this number; its kind follows from it."""
    kind = KINDS[number % len(KINDS)]
    rng = seeded(config.seed, str(number))
    if kind == "cut":
        return _cut(config, names, rng)
    only = (str(rng.choice(list(names))),) if kind == "double" else tuple(names)
    base = DavisSource(config.davis, config.size, only=only)
    leaving, most = float(kind != "staying"), 1 if kind == "double" else 2
    for attempt in range(100):
        seed = config.seed + 1000 * number + attempt
        source = PasteSource(base, 1, config.length, most, seed, leaving=leaving)
        frames = list(source.render(source.names()[0]))
        if frames[0][1].any() and (kind == "staying" or leaves(frames)):
            return frames
    raise ValueError(f"No clip of {', '.join(only)} shows an object that leaves. Take another.")


def _cut(config: Config, names: Sequence[str], rng: np.random.Generator) -> list[Frame]:
    """Return the first frames of one sequence, and of another one without its labels."""
    first, second = (str(name) for name in rng.choice(list(names), 2, replace=False))
    base = DavisSource(config.davis, config.size)
    before = list(base.render(first))[: int(rng.integers(1, 5))]
    after = list(base.render(second))[:CUT]
    return before + [(image, np.zeros_like(labels)) for image, labels in after]


@torch.inference_mode()
def look(network: Network, frames: Sequence[Frame], head: PresenceHead | None) -> Judged:
    """Run the network over a clip, by the truth and by the head, and return what was judged."""
    settings = MODELS["lite"].memory(len(frames))
    runs: list[tuple[Propagation, Recorder]] = []
    network.presence_head = head or PresenceHead(len(NAMES))
    for judge in dict.fromkeys([None, head]):
        run = Propagation(network, replace(settings, shown=None))
        recorder = Recorder(judge, run)
        run.learned = recorder
        runs.append((run, recorder))
    ids = [int(each) for each in np.unique(frames[0][1]) if each]
    for number, (image, labels) in enumerate(frames):
        pixels = torch.tensor(np.ascontiguousarray(image)).permute(2, 0, 1)[None] / 255
        seen = Geometry.of(labels.shape, short_side=0, scale=1, multiple=network.encoder.multiple)
        encoded = EncodedFrame(number, pixels, network.encode_image(pixels), seen)
        masks = {each: torch.tensor(labels == each).float() for each in ids}
        for run, recorder in runs:
            recorder.truth = labels
            run.step(encoded, None if number else masks)
    rows = [row for _, recorder in runs for row in recorder.rows]
    return Judged(torch.stack([row[0] for row in rows]), torch.tensor([row[1] for row in rows]))


def gather(
    config: Config, network: Network, number: int, head: PresenceHead | None, part: str
) -> Judged:
    """Return what was judged on the clips of one round, those looked at before from their files."""
    names = config.train if part == "train" else config.calibrate
    count = config.clips if part == "train" else config.clips // 3
    found = []
    for clip in range(count):
        file = config.out / f"round-{number}" / f"{part}-{clip}.safetensors"
        if not file.exists():
            offset = count * number + (0 if part == "train" else 10_000)
            judged = look(network, make_clip(config, names, offset + clip), head)
            file.parent.mkdir(parents=True, exist_ok=True)
            save_file(judged._asdict(), file)
            sys.stdout.write(f"{file}: {len(judged.there)} masks\n")
            sys.stdout.flush()
        found.append(Judged(**load_file(file)))
    return joined(found)


def joined(parts: Sequence[Judged]) -> Judged:
    """Return what was judged in all parts."""
    return Judged(*(torch.cat(each) for each in zip(*parts, strict=True)))


def fit(judged: Judged) -> PresenceHead:
    """Return the head that tells best, both answers weighing the same."""
    head, there = PresenceHead(len(NAMES)), judged.there.float()
    head.mean.copy_(judged.evidence.mean(dim=0))
    head.deviation.copy_(judged.evidence.std(dim=0).clamp_min(0.05))
    torch.nn.init.zeros_(head.weigh.weight)
    torch.nn.init.zeros_(head.weigh.bias)
    weights = torch.where(judged.there, 1 - there.mean(), there.mean())
    optimiser = torch.optim.LBFGS(head.weigh.parameters(), max_iter=200)

    def loss() -> Tensor:
        optimiser.zero_grad()
        total = torch.nn.functional.binary_cross_entropy(head(judged.evidence), there, weights)
        total = total / weights.mean() + DECAY * head.weigh.weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return head.requires_grad_(requires_grad=False)


def report(head: PresenceHead, judged: Judged) -> str:
    """Return how often the head is wrong on clips that it was not fitted on."""
    likely = head(judged.evidence)
    lines = []
    for least in (0.2, 0.35, SURE, 0.7):
        made_up = (likely[~judged.there] >= least).float().mean()
        missed = (likely[judged.there] < least).float().mean()
        lines.append(f"from {least}: {made_up:.1%} made up, {missed:.1%} missed")
    return "\n".join(lines)


def rounds(config: Config, network: Network) -> Iterator[tuple[PresenceHead, Judged]]:
    """Yield the head of each round, and what was held out in it."""
    seen: list[Judged] = []
    head: PresenceHead | None = None
    for number in range(config.rounds):
        held_out = gather(config, network, number, head, "held-out")
        seen.append(gather(config, network, number, head, "train"))
        head = fit(joined(seen))
        yield head, held_out


def main() -> int:
    """Fit, and write the head."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    config = read_config(parser.parse_args().config)
    state = network_part(read_state(config.weights))
    network = Network(MODELS["lite"].network)
    load_strict(network, state, config.weights)
    network = prepare_for_inference(network, torch.device("cpu"))
    for number, (head, held_out) in enumerate(rounds(config, network)):
        sys.stdout.write(f"round {number}, on clips held out:\n{report(head, held_out)}\n")
        file = config.out / "presence.safetensors"
        save_file({f"{PRESENCE}{name}": part for name, part in head.state_dict().items()}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
