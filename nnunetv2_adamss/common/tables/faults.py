"""Messages about faults in a user's file: all together, with a few examples of each."""

from collections.abc import Sequence
from pathlib import Path

from nnunetv2_adamss.common.messages import listed


class FileFaultsError(ValueError):
    """A file that cannot be used, with everything that is wrong with it.

    Args:
        path: the file.
        faults: at least one sentence without its full stop.
    """

    def __init__(self, path: Path, faults: Sequence[str]) -> None:
        self.path = path
        self.faults = tuple(faults)
        super().__init__(self._message())

    def _message(self) -> str:
        if len(self.faults) == 1:
            return f"{self.path}: {self.faults[0]}."
        lines = [f"{self.path} has {len(self.faults)} faults:", *(f"- {fault}." for fault in self.faults)]
        return "\n".join(lines)


def with_examples(sentence: str, examples: Sequence[str]) -> str:
    """The sentence, its first examples, and how many there are if these are not all."""
    return f"{sentence}: {listed(examples)}"


def faults_of(sentence: str, examples: Sequence[str]) -> list[str]:
    """One fault, the sentence with its examples; none without examples."""
    return [with_examples(sentence, examples)] if examples else []
