"""The anchors of `propagate --text`: objects found by words."""

import argparse
import sys
from dataclasses import replace

from app.batch.masks.finding import find, taken
from app.batch.resume import FillJob
from app.cli.progress import Progress
from app.core.proposals import Existing, FindRequest, Proposal
from app.errors import MaskwrightError
from app.storage.project.project import Project
from models import registry
from models.api import Frames, LoadOptions
from models.text.nouns import phrase_of


def with_found(
    job: FillJob, arguments: argparse.Namespace, frames: Frames, project: Project | None
) -> FillJob:
    """Return the job with what the words find as its anchors, and print a line for each.

    Objects of the project are recognised and keep their numbers. Raises MaskwrightError where
    nothing is found.
    """
    request = _request(job, arguments)
    existing = Existing() if project is None else Existing.of(project.load())
    proposals = _found(request, arguments, frames, existing)
    if not proposals:
        raise MaskwrightError(
            f"Nothing of {', '.join(map(repr, request.phrases))} was found on "
            f"{len(request.frames)} frames that were looked at. Look at more with --every N, "
            f"lower --threshold, or draw an anchor and give it with --anchors."
        )
    for each in proposals:
        sys.stdout.write(
            f"frame {each.key.frame} object {each.key.object}: {each.name}, {each.score:.2f}\n"
        )
    names = {each.key.object: each.name for each in proposals}
    return replace(job, anchors=taken(proposals), names=names)


def _request(job: FillJob, arguments: argparse.Namespace) -> FindRequest:
    every = arguments.every or job.last - job.first + 1
    looked_at = range(job.first, job.last + 1, every)
    phrases = tuple(dict.fromkeys(map(phrase_of, arguments.text)))
    return FindRequest(phrases, looked_at, all_of_kind=not arguments.one)


def _found(
    request: FindRequest, arguments: argparse.Namespace, frames: Frames, existing: Existing
) -> list[Proposal]:
    name = arguments.detector or registry.default_detector(request.phrases)
    options = LoadOptions(arguments.device, arguments.threads, threshold=arguments.threshold)
    detector = registry.load_detector(name, frames, options)
    segmenter = registry.load_segmenter(
        arguments.segmenter or registry.default_segmenter(LoadOptions(arguments.device)),
        frames,
        LoadOptions(arguments.device, arguments.threads),
    )
    proposals: list[Proposal] = []
    with Progress(f"Looking with {name}", len(request.frames)) as progress:
        for _, found in find(detector, segmenter, frames, request, existing):
            proposals += found
            progress.step()
    return proposals
