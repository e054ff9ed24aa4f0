"""Load the classes of `transformers` from one weights file, without a folder or a network."""

from pathlib import Path
from typing import Any

from models.api import WeightsInvalidError
from models.weights.checkpoint import listed, read_state

# Buffers that older releases stored, and that are computed now.
_COMPUTED = ("position_ids", "relative_position_index", "num_batches_tracked")


def load_pretrained(kind: Any, config: Any, path: Path) -> Any:  # noqa: ANN401 - has no types
    """Return a model of the class `kind`, built by `config`, with the weights in the file.

    Names of older releases are understood, as the library understands them. Raises
    WeightsInvalidError where the file is of another model, WeightsMissingError where it is not
    there.
    """
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()
    state = read_state(path)
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # what does not fit is said below, in a sentence
    try:
        model, report = kind.from_pretrained(
            None,
            config=config,
            state_dict=state,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    finally:
        logging.set_verbosity(verbosity)
    left = (name for name in report["unexpected_keys"] if not name.endswith(_COMPUTED))
    differences = [
        listed("missing", report["missing_keys"]),
        listed("not of this model", left),
        listed("of another shape", (str(each[0]) for each in report["mismatched_keys"])),
    ]
    if any(differences):
        raise WeightsInvalidError(
            f"{path} does not fit the model: {'; '.join(filter(None, differences))}. "
            f"It is probably the file of another model."
        )
    return model.eval()
