"""Spellings of version 0.1, which still work and print the new spelling."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


def _any_value(value: str) -> bool:
    return True


@dataclass(frozen=True)
class Renamed:
    """An option that has a new name.

    Args:
        old: spelling of version 0.1.
        new: present spelling.
        values: new names of its values, by their old ones.
        is_old: if ``old`` has another meaning now, decides by the first value if the old option is meant.
        shown_value: the kind of value that ``is_old`` accepts, for messages.
    """

    old: str
    new: str
    values: Mapping[str, str] = field(default_factory=dict)
    is_old: Callable[[str], bool] = _any_value
    shown_value: str = ""

    @property
    def sentence(self) -> str:
        """Return the sentence that names the old and the new spelling."""
        value = f" {self.shown_value}" if self.shown_value else ""
        return f"{self.old}{value} is now {self.new}{value}"


OUTCOMES = Renamed("-s", "--survival_csv")
MASKS_DIR = Renamed("--masks_dir", "--masks")
MASKS = Renamed("-m", "--masks")


def in_new_spelling(words: Sequence[str], renamed: Sequence[Renamed]) -> tuple[list[str], list[str]]:
    """Replace old names of options in a command line.

    Args:
        words: what the user typed after the command's name.
        renamed: the command's options that have new names.

    Returns:
        The words, and a sentence for each option that was renamed in them.
    """
    by_name = {one.old: one for one in renamed}
    typed = [part for word in words for part in _split_value(word, by_name)]
    result: list[str] = []
    sentences: dict[str, None] = {}
    values: Mapping[str, str] = {}
    for word, following in zip(typed, [*typed[1:], ""], strict=False):
        one = by_name.get(word)
        if one is None or not one.is_old(following):
            result.append(values.get(word, word))
            values = {}
        else:
            result.append(one.new)
            values = one.values
            sentences[one.sentence] = None
    return result, list(sentences)


def _split_value(word: str, by_name: Mapping[str, Renamed]) -> list[str]:
    """Split ``--old=value`` into both parts."""
    name, equals, value = word.partition("=")
    return [name, value] if equals and name in by_name else [word]
