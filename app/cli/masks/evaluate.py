"""`maskwright evaluate`: J, F and J&F of masks against ground truth."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.core.evaluate import (
    EvaluationError,
    Measure,
    Protocol,
    SequenceScore,
    score_sequence,
    summarize,
)
from app.errors import FormatError
from app.storage.files.apart import check_apart
from app.storage.files.writing import atomic_write
from app.storage.formats.davis import mask_files, mask_folders, size_notes
from app.storage.formats.palette import (
    VOID,
    Labels,
    counts_of,
    is_white_on_black,
    note_of,
    read_labels,
    white_as_one,
)
from app.storage.formats.visor.release.tables import read_list


def run(arguments: argparse.Namespace) -> int:
    """Score every sequence of the ground truth and print the numbers."""
    protocol = Protocol(arguments.protocol)
    if arguments.json is not None:
        check_apart(arguments.json, (arguments.gt, arguments.pred, arguments.list))
    threads = arguments.threads or os.cpu_count() or 1
    try:
        scores = [
            _scored(truth, prediction, protocol, threads)
            for truth, prediction in _pairs(arguments.gt, arguments.pred, arguments.list)
        ]
        _report(scores, protocol, arguments.json)
        sys.stderr.writelines(f"{_absence(score)}\n" for score in scores if score.absent)
    except EvaluationError as error:
        raise FormatError(f"{error}. Check the folders and --protocol.") from error
    return 0


def _pairs(truth: Path, prediction: Path, names: Path | None) -> list[tuple[Path, Path]]:
    """Return the folders of each sequence, of those that the list `names` has where it is given.

    Raises FormatError where a prediction is missing.
    """
    drawn, predicted = mask_folders(truth), mask_folders(prediction)
    if names is not None:
        wanted = read_list(names)
        drawn = [folder for folder in drawn if folder.name in wanted]
        if len(drawn) < len(wanted):
            lost = sorted(wanted - {folder.name for folder in drawn})
            raise FormatError(f"{truth} has no {lost[0]}, which {names} lists. Check --list.")
    notes = (*size_notes(truth), *size_notes(prediction, [folder.name for folder in drawn]))
    sys.stderr.writelines(f"{note}\n" for note in notes)
    if len(drawn) == len(predicted) == 1:
        return [(drawn[0], predicted[0])]
    by_name = {folder.name: folder for folder in predicted}
    missing = [folder.name for folder in drawn if folder.name not in by_name]
    if missing:
        raise FormatError(
            f"{prediction} has no masks for {missing[0]}"
            + (f" and {len(missing) - 1} more sequences" if len(missing) > 1 else "")
            + ". Predict them too, or give the ground truth of fewer sequences."
        )
    return [(folder, by_name[folder.name]) for folder in drawn]


def _scored(truth: Path, prediction: Path, protocol: Protocol, threads: int) -> SequenceScore:
    files = mask_files(truth)
    predicted = {file.stem: file for file in mask_files(prediction)}
    stems = [files[index].stem for index in protocol.scored(len(files))]
    missing = [stem for stem in stems if stem not in predicted]
    if missing:
        raise FormatError(
            f"{prediction / missing[0]}.png does not exist; {len(missing)} of {len(stems)} frames "
            "have no prediction. Write one mask PNG for each frame of the ground truth."
        )
    size = read_labels(files[0]).shape
    kept = [predicted.get(file.stem) for file in files]
    return score_sequence(
        truth.name,
        [file.stem for file in files],
        _reader(files, (size[0], size[1]), protocol),
        _reader(kept, (size[0], size[1]), protocol),
        protocol,
        threads,
    )


def _reader(
    files: Sequence[Path | None], size: tuple[int, int], protocol: Protocol
) -> Callable[[int], Labels]:
    """Return what reads the masks of these files, white on black as object 1.

    davis2016 takes whatever is not black for its one object.
    """
    given = [file for file in files if file is not None]
    is_white = protocol is not Protocol.DAVIS2016 and _is_white_on_black(given)

    def read(index: int) -> Labels:
        file = files[index]
        assert file is not None, "frames without a prediction are not scored"
        labels = read_labels(file, size)
        return white_as_one(labels) if is_white else labels

    return read


def _is_white_on_black(files: Sequence[Path]) -> bool:
    """Whether masks are white on black; where the first that show something lack white, not."""
    painted = (labels for file in files if (labels := read_labels(file)).any())
    if VOID not in next(painted, np.zeros(1, np.uint8)):
        return False
    counts = counts_of(read_labels(file) for file in files)
    is_white = is_white_on_black(counts)
    if is_white:
        sys.stderr.writelines(f"{note}\n" for note in note_of(counts))
    return is_white


def _report(scores: list[SequenceScore], protocol: Protocol, file: Path | None) -> None:
    width = max(len(score.name) for score in scores) + 4
    lines = [f"{'':{width}}     J     F   J&F"]
    for score in scores:
        lines += [
            _line(f"{score.name}_{item.object}", width, item.j.mean, item.f.mean)
            for item in score.objects
        ]
        if len(score.objects) > 1:
            mean = summarize([score])
            lines.append(_line(score.name, width, mean.j, mean.f))
    overall = summarize(scores)
    lines.append(_line("overall", width, overall.j, overall.f))
    sys.stdout.write("\n".join(lines) + "\n")
    if file is not None:
        atomic_write(file, json.dumps(_record(scores, protocol), indent=1).encode())


def _absence(score: SequenceScore) -> str:
    ids = ", ".join(map(str, score.absent))
    return (
        f"{score.name}: the first ground truth frame lacks object {ids}, but has higher ones. It "
        "counts all the same, as in the official code, with 1 on each frame where neither side "
        "has it. To leave it out, number the objects without gaps."
    )


def _line(name: str, width: int, j: float, f: float) -> str:
    return f"{name:{width}} {j:.3f} {f:.3f} {(j + f) / 2:.3f}"


def _record(scores: list[SequenceScore], protocol: Protocol) -> dict[str, object]:
    overall = summarize(scores)
    return {
        "protocol": protocol.value,
        **_means(overall.j, overall.f),
        "sequences": {
            score.name: {
                **_means((mean := summarize([score])).j, mean.f),
                "frames": score.frames,
                "objects": {
                    str(item.object): {
                        **_means(item.j.mean, item.f.mean),
                        **_details("J", item.j),
                        **_details("F", item.f),
                    }
                    for item in score.objects
                },
            }
            for score in scores
        },
    }


def _means(j: float, f: float) -> dict[str, object]:
    return {"J": j, "F": f, "J&F": (j + f) / 2}


def _details(name: str, measure: Measure) -> dict[str, object]:
    return {
        f"{name}_recall": measure.recall,
        f"{name}_decay": measure.decay,
        f"{name}_frames": measure.values.tolist(),
    }
