"""What a config's data sets mean: sources of sequences, and names for what is made of them."""

import hashlib
from dataclasses import astuple
from pathlib import Path

import torch

from models.training.config import DataSet, TrainConfig, TrainingConfigError
from models.training.data.crossing import CrossingSource
from models.training.data.pasting import PasteSource
from models.training.data.proposals import Proposals
from models.training.data.sequences import DavisSource, SequenceSource
from models.training.data.stills import Hands, StillSource
from models.training.data.unlabelled import ClipSource, follow_with

_KINDS = "davis, visor, stills, paste, crossing or clips"


def source_of(item: DataSet, device: torch.device) -> SequenceSource:
    """Return the sequences that a config's data set names; raises TrainingConfigError."""
    root = Path(item.root)
    davis = DavisSource(root, item.size, item.only, item.without, item.mirrored, max(item.every, 1))
    hands = Hands(Path(item.hands)) if item.hands else None
    if item.kind in {"davis", "visor"}:
        return davis
    if item.kind == "paste":
        return PasteSource(
            davis, item.count, item.length, seed=item.seed, leaving=item.leaving, hands=hands
        )
    if item.kind == "crossing":
        folder = Path(item.stills)
        stills = (
            StillSource(folder / "images", folder / "masks", item.size) if item.stills else None
        )
        return CrossingSource(davis, item.count, item.length, item.seed, item.alike, stills)
    if item.kind == "stills":
        proposals = Proposals.of(item.pseudo, device) if item.pseudo else None
        images, masks = root / "images", root / "masks"
        return StillSource(
            images, masks, item.size, item.count, item.seed, hands, proposals, item.without
        )
    if item.kind == "clips":
        if item.pseudo is None:
            raise TrainingConfigError(f"data set {item.name}: clips need a table [data.pseudo].")
        return ClipSource(
            root,
            item.size,
            Proposals.of(item.pseudo, device),
            follow_with(item.pseudo, device),
            parts=item.count,
            length=item.length,
            agreement=item.pseudo.agreement,
            seed=item.seed,
        )
    raise TrainingConfigError(
        f"data set {item.name}: there is no kind {item.kind!r}. Use {_KINDS}."
    )


def fingerprint(item: DataSet, config: TrainConfig, *, features: bool) -> str:
    """Name what a cached sequence depends on, so that another config never reads a wrong one."""
    parts: list[object] = [item.kind, item.root, item.size, item.only, item.without]
    parts += [item.mirrored, item.seed]
    if item.kind == "crossing":
        parts += [item.alike]
    if item.every > 1:
        parts += ["every", item.every]
    if item.kind in {"paste", "crossing", "stills", "clips"}:
        parts += [item.count, item.length]
    parts += [part for part in (item.leaving, item.hands, item.stills) if part]
    if item.pseudo:
        parts += astuple(item.pseudo)
    if features:
        parts += [config.model, config.encoder, config.start]
        parts += [config.depth] if config.depth else []
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
