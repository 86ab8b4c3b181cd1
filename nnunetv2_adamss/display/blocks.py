"""Parts of a result as it is shown; renderers turn them into HTML, Markdown or text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Text:
    """One paragraph of plain text."""

    kind: ClassVar = "text"
    text: str


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked.

    Args:
        text: the sentence.
        is_caution: True for limits to the meaning of a result, False for a missing part and how to get it.
    """

    kind: ClassVar = "notice"
    text: str
    is_caution: bool = False

    @property
    def label(self) -> str:
        """The word before the sentence."""
        return "Caution." if self.is_caution else "Note."


@dataclass(frozen=True)
class Facts:
    """Names with their values.

    Args:
        rows: name and value.
        look: ``headlines`` are shown large, for the few numbers that a reader looks for first; ``steps`` flow from top
            to bottom, such as patients, with those who leave the flow at each step.
    """

    kind: ClassVar = "facts"
    rows: Sequence[tuple[str, str]]
    look: Literal["list", "headlines", "steps"] = "list"


@dataclass(frozen=True)
class Table:
    """A table whose first columns name the rows.

    Args:
        caption: above the table.
        header: one a column.
        rows: as many cells as the header has.
        notes: sentences below the table.
        n_names: how many columns name the rows; the others hold figures.
        is_prose: cells hold sentences, not figures, and are set flush left.
    """

    kind: ClassVar = "table"
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    n_names: int = 1
    is_prose: bool = False


@dataclass(frozen=True)
class Picture:
    """A chart or an image.

    Args:
        source: as a data URI.
        description: the content in words and numbers, for readers who cannot see it.
        caption: how to read it, for readers who can.
        width: in CSS pixels, on a page that has the room; None for the image's own.
    """

    kind: ClassVar = "picture"
    source: str
    description: str
    caption: str
    width: int | None = None


@dataclass(frozen=True)
class Columns:
    """Columns of blocks, side by side where the page is wide enough."""

    kind: ClassVar = "columns"
    columns: Sequence[Sequence[Block]]


@dataclass(frozen=True)
class Section:
    """A headline with the blocks below it.

    Args:
        identifier: the target of links.
        title: the headline.
        blocks: in order.
        begins_page: on paper; several such sections in one are listed before the first.
    """

    kind: ClassVar = "section"
    identifier: str
    title: str
    blocks: Sequence[Block] = ()
    begins_page: bool = False


Block = Text | Notice | Facts | Table | Picture | Columns | Section
