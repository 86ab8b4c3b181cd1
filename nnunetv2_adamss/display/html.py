"""Render blocks as one self-contained HTML page: no script, no network."""

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
    """Write a page, completely or not at all.

    Args:
        file: to write.
        title: of the page.
        subtitle: below it.
        notices: above all sections.
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
    """Escape text, and set text between backticks, such as a command, as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
