"""Sections of parts of which each can be missing; a notice replaces a part that fails, and the others stay."""

import logging
from collections.abc import Callable, Iterable, Sequence

from nnunetv2_adamss.display.blocks import Block, Notice, Section

logger = logging.getLogger(__name__)
Part = Callable[[], Iterable[Block]]


def section(identifier: str, title: str, parts: Sequence[Part], *, begins_page: bool = False) -> Section:
    """Make a section of parts of which each can be missing.

    Args:
        identifier: for links.
        title: of the section.
        parts: make blocks. A sentence replaces a part that cannot be made.
        begins_page: on paper.
    """
    return Section(
        identifier, title, [block for part in parts for block in attempt(part)], begins_page=begins_page
    )


def attempt(part: Part) -> list[Block]:
    """Return the blocks of a part, or a notice with the reason why there are none."""
    try:
        return list(part())
    except (ValueError, OSError) as error:
        return [Notice(f"This part is missing. {error}")]
    # An unexpected error must not remove the rest of the page.
    except Exception as error:
        logger.warning("A part of the report failed.", exc_info=True)
        return [Notice(f"This part could not be made ({type(error).__name__}: {error}).")]
