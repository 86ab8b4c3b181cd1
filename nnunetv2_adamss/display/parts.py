"""Sections of parts of which each can be missing; a part that fails says so in its place, and the others stand."""

import logging
from collections.abc import Callable, Iterable, Sequence

from nnunetv2_adamss.display.blocks import Block, Notice, Section

logger = logging.getLogger(__name__)
Part = Callable[[], Iterable[Block]]


def section(identifier: str, title: str, parts: Sequence[Part], *, begins_page: bool = False) -> Section:
    """A section of parts of which each can be missing.

    Args:
        identifier: for links.
        title: of the section.
        parts: make blocks. What one cannot make is a sentence in its place.
        begins_page: on paper.
    """
    return Section(
        identifier, title, [block for part in parts for block in attempt(part)], begins_page=begins_page
    )


def attempt(part: Part) -> list[Block]:
    """The blocks of a part, or a notice that says why there are none."""
    try:
        return list(part())
    except (ValueError, OSError) as error:
        return [Notice(f"This part is missing. {error}")]
    # An unforeseen error must not take the rest of the page away.
    except Exception as error:
        logger.warning("A part of the report failed.", exc_info=True)
        return [Notice(f"This part could not be made ({type(error).__name__}: {error}).")]
