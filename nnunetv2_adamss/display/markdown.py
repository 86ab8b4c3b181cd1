"""Render blocks as Markdown. Pictures are left out, since they are separate files."""

from collections.abc import Iterator, Sequence

from nnunetv2_adamss.display.blocks import Block, Columns, Facts, Notice, Section, Table, Text


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """Render a page of blocks, with captions of tables as headlines."""
    return "\n\n".join([f"# {title}", *_parts(blocks, "##")]) + "\n"


def _parts(blocks: Sequence[Block], marks: str) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text(text):
                yield text
            case Notice(text):
                yield f"**{block.label}** {text}"
            case Facts(rows):
                yield "\n".join(f"- {name}: {value}" for name, value in rows)
            case Table():
                yield from _table(block, marks)
            case Section():
                yield f"{marks} {block.title}"
                yield from _parts(block.blocks, f"{marks}#")
            case Columns(columns):
                for column in columns:
                    yield from _parts(column, marks)


def _table(table: Table, marks: str) -> Iterator[str]:
    if table.caption:
        yield f"{marks} {table.caption}"
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    yield "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
    if table.notes:
        yield "\n".join(f"- {note}" for note in table.notes)
