"""Render blocks as lines for a terminal. Pictures are left out."""

from collections.abc import Iterator, Sequence

from nnunetv2_adamss.display.blocks import Block, Columns, Facts, Notice, Section, Table, Text


def text_of(*blocks: Block) -> str:
    """Render blocks in order, with an empty line between them."""
    return "\n\n".join("\n".join(lines) for lines in _parts(blocks) if lines)


def _parts(blocks: Sequence[Block]) -> Iterator[list[str]]:
    for block in blocks:
        match block:
            case Text(text):
                yield [text]
            case Notice(text):
                yield [f"{block.label} {text}"]
            case Facts(rows):
                yield _aligned([(f"{name}:", value) for name, value in rows], n_left=2)
            case Table(caption, header, rows):
                n_left = len(header) if block.is_prose else block.n_names
                yield [*filter(None, [caption]), *_aligned([header, *rows], n_left), *block.notes]
            case Section():
                yield [block.title, "=" * len(block.title)]
                yield from _parts(block.blocks)
            case Columns(columns):
                for column in columns:
                    yield from _parts(column)


def _aligned(rows: Sequence[Sequence[str]], n_left: int) -> list[str]:
    """Align rows of cells in columns; the first columns flush left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:<{width}}" if place < n_left else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
