"""The text that Grounding DINO reads: phrases, each ended by a full stop, as tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import BertWordPieceTokenizer

from models.api import PromptError, WeightsInvalidError

_START, _END, _STOP = "[CLS]", "[SEP]", "."
_MOST_TOKENS = 256  # that the network reads
# The network tells phrases apart by these marks, which it knows by their numbers.
_MARKS = {_START: 101, _END: 102, _STOP: 1012, "?": 1029}


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """Tokens by their numbers, and which of them each phrase is."""

    ids: tuple[int, ...]
    spans: tuple[range, ...]


class Vocabulary:
    """The tokens of BERT, lower case."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._numbers = {token: number for number, token in enumerate(tokens)}
        self._tokenizer = BertWordPieceTokenizer(self._numbers, lowercase=True)

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Return the vocabulary in a file, a token a line. Raises WeightsInvalidError."""
        try:
            tokens = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            tokens = []
        if any(tokens[number : number + 1] != [mark] for mark, number in _MARKS.items()):
            raise WeightsInvalidError(
                f"{path} is not the vocabulary of BERT, one token a line. Delete it and get it "
                f"again: `maskwright models get bert-vocabulary`."
            )
        return cls(tokens)

    def prompt(self, phrases: Sequence[str]) -> TextPrompt:
        """Return the text of the phrases. Raises PromptError where one is empty, or it is long."""
        ids, spans = [self._numbers[_START]], []
        for phrase in phrases:
            found = self._tokenizer.encode(_plain(phrase), add_special_tokens=False).ids
            if not found:
                raise PromptError("There is a phrase without a word. Say what to look for.")
            spans.append(range(len(ids), len(ids) + len(found)))
            ids += [*found, self._numbers[_STOP]]
        ids.append(self._numbers[_END])
        if not spans or len(ids) > _MOST_TOKENS:
            raise PromptError(
                f"{len(spans)} phrases cannot be looked for at once: give one to a few dozen, "
                f"of a few words each."
            )
        return TextPrompt(tuple(ids), tuple(spans))


def _plain(phrase: str) -> str:
    """Return a phrase without the marks that would end it."""
    return phrase.replace(".", " ").replace("?", " ").strip()
