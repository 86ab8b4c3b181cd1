"""Blocks as one HTML page that needs nothing else: no script, no network."""

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.display.blocks import Notice, Section


def write_page(
    file: Path, title: str, subtitle: str, notices: Sequence[Notice], sections: Sequence[Section]
) -> None:
    """Write a page, whole or not at all.

    Args:
        file: to write.
        title: of the page.
        subtitle: below it.
        notices: what every reader must know first.
        sections: with their blocks.
    """
    # Names and values come from users' files: nothing in them may act as HTML.
    environment = Environment(
        loader=PackageLoader("nnunetv2_adamss.display"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["with_code"] = _with_code
    html = environment.get_template("page.html").render(
        title=title, subtitle=subtitle, notices=notices, sections=sections
    )
    write_atomically(file, html)


def _with_code(text: str) -> Markup:
    """Escaped text in which what stands between backticks, such as a command, looks like what one types."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
