"""What a report is made of. Sections make blocks, the template turns blocks into HTML; neither knows the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    text: str


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked.

    Args:
        text: what it is.
        is_caution: True for what limits the meaning of a result, False for what is missing and how to get it.
    """

    kind: ClassVar = "notice"
    text: str
    is_caution: bool = False


@dataclass(frozen=True)
class Facts:
    """Names with their values.

    Args:
        rows: name and value.
        are_headlines: shown large, for the few numbers that a reader looks for first.
    """

    kind: ClassVar = "facts"
    rows: Sequence[tuple[str, str]]
    are_headlines: bool = False


@dataclass(frozen=True)
class Steps:
    """A flow from top to bottom, such as of patients: each step with what leaves the flow there, or nothing."""

    kind: ClassVar = "steps"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table whose first columns name the rows.

    Args:
        caption: what it shows.
        header: one a column.
        rows: as many cells as the header has.
        note: below the table.
        n_names: how many columns name the rows; the others hold figures.
        is_prose: cells hold sentences, not figures, and are set flush left.
    """

    kind: ClassVar = "table"
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    n_names: int = 1
    is_prose: bool = False


@dataclass(frozen=True)
class Picture:
    """A chart or an image.

    Args:
        source: as a data URI.
        description: what it shows, in words and numbers, for who cannot see it.
        caption: how to read it, for who can.
        width: in CSS pixels, on a page that has the room; None for the image's own.
    """

    kind: ClassVar = "picture"
    source: str
    description: str
    caption: str
    width: int | None = None


@dataclass(frozen=True)
class Links:
    """Ways to the sections of this page.

    Args:
        rows: identifier and title of each.
    """

    kind: ClassVar = "links"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Columns:
    """Columns of blocks, side by side where the page is wide enough."""

    kind: ClassVar = "columns"
    columns: Sequence[Sequence[Block]]


@dataclass(frozen=True)
class Section:
    """A headline with what belongs below it.

    Args:
        identifier: what links point to.
        title: of the section.
        blocks: in order.
        begins_page: on paper.
    """

    kind: ClassVar = "section"
    identifier: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    begins_page: bool = False


Block = Text | Notice | Facts | Steps | Table | Picture | Links | Columns | Section
