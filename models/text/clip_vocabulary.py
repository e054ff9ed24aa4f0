"""The text that SAM 3 reads: a phrase as tokens of CLIP's byte pairs."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.api import PromptError, WeightsInvalidError

_START, _END = "<|startoftext|>", "<|endoftext|>"
_MERGES = 49_152 - 256 - 2  # that CLIP uses of the file's
_MOST_TOKENS = 32  # that the network reads


class ClipVocabulary:
    """The tokens of CLIP, lower case. Raises WeightsInvalidError where the file is another."""

    def __init__(self, path: Path) -> None:
        try:
            lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise WeightsInvalidError(_refusal(path)) from error
        pairs = [tuple(line.split()) for line in lines[1 : _MERGES + 1]]
        if not pairs or any(len(pair) != 2 for pair in pairs):
            raise WeightsInvalidError(_refusal(path))
        self._tokenizer = _tokenizer(pairs)

    def checked(self, phrases: Sequence[str]) -> Sequence[str]:
        """Return the phrases. Raises PromptError where there is none, or one has no word."""
        if not phrases or not all(any(map(str.isalnum, phrase)) for phrase in phrases):
            raise PromptError("There is a phrase without a word. Say what to look for.")
        return phrases

    def prompt(self, phrase: str) -> list[int]:
        """Return the tokens of a phrase. Raises PromptError where they are too many."""
        ids: list[int] = self._tokenizer(phrase.strip().rstrip("."))["input_ids"]
        if len(ids) > _MOST_TOKENS:
            raise PromptError(f"{phrase!r} is too long. Say it in a few words.")
        return ids


def _refusal(path: Path) -> str:
    return (
        f"{path} is not the vocabulary of CLIP. Delete it and get it again: "
        f"`maskwright models get clip-vocabulary`."
    )


def _tokenizer(pairs: Sequence[tuple[str, ...]]) -> Any:  # noqa: ANN401 - has no types
    from transformers import CLIPTokenizer  # noqa: PLC0415

    alphabet = _alphabet()
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet), *map("".join, pairs)]
    numbers = {token: number for number, token in enumerate([*tokens, _START, _END])}
    return CLIPTokenizer(vocab=numbers, merges=list(pairs))


def _alphabet() -> list[str]:
    """Return a letter for each byte, in CLIP's order: those that can be printed are themselves."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in printed)
    return [*map(chr, printed), *(chr(256 + k) for k, _ in enumerate(others))]
