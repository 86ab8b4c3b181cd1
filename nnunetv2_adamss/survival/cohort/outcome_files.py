"""The files that hold outcomes, by their names in a training's record and checkpoints."""

from pathlib import Path

from nnunetv2_adamss.survival.cohort.description import DESCRIPTION_FILE


def outcomes_source(table: Path) -> str:
    """The name of the table of outcomes among the sources of a training."""
    return f"outcomes ({table.name})"


def outcome_files(table: Path) -> dict[str, Path]:
    """The table of outcomes and its description, if there is one, by their names among the sources of a training."""
    description = table.parent / DESCRIPTION_FILE
    described = {f"description ({DESCRIPTION_FILE})": description} if description.is_file() else {}
    return {outcomes_source(table): table, **described}
