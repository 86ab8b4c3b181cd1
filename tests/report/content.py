"""What a part of the report holds, however deep: its blocks, and the words of each."""

from collections.abc import Iterable

from nnunetv2_adamss.display.blocks import Block, Columns, Facts, Notice, Picture, Section, Table, Text


def flat(blocks: Iterable[Block]) -> list[Block]:
    found: list[Block] = []
    for block in blocks:
        found.append(block)
        if isinstance(block, Section):
            found += flat(block.blocks)
        elif isinstance(block, Columns):
            found += [inner for column in block.columns for inner in flat(column)]
    return found


def words_of(block: Block) -> str:
    if isinstance(block, Text | Notice):
        return block.text
    if isinstance(block, Table):
        return " | ".join(
            [block.caption, *block.header, *(cell for row in block.rows for cell in row), *block.notes]
        )
    if isinstance(block, Facts):
        return " | ".join(f"{name}: {value}" for name, value in block.rows)
    return f"{block.description} {block.caption}" if isinstance(block, Picture) else ""
