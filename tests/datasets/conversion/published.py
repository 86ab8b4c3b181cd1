"""A published cohort in its layout, and the command that converts it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from nnunetv2_adamss.cli.convert_dataset import main

COARSE = ("--grid", "iso", "--spacing", "5", "--field_mm", "none", "-np", "1")


@dataclass(frozen=True)
class Published:
    """Files of a cohort below ``source``, to be converted into ``raw``."""

    layout: str
    source: Path
    raw: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def folder(self) -> Path:
        """Of the data set."""
        return self.raw / "Dataset007_Test"

    def convert(self, *options: str, source: Path | None = None, coarse: bool = True) -> int:
        """The command's exit code."""
        common = ["-d", "7", "--name", "Test", "-o", str(self.raw)]
        return main([self.layout, str(source or self.source), *common, *(COARSE if coarse else ()), *options])

    def error(self) -> str:
        """What the command has said on stderr since this was last asked."""
        return self.capsys.readouterr().err

    def edit(self, table: str, old: str, new: str) -> None:
        """Write another value into a table."""
        text = (self.source / table).read_text()
        assert old in text
        (self.source / table).write_text(text.replace(old, new))
