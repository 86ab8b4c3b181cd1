"""Four phantoms in a manifest, and the command that converts them."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from nnunetv2_adamss.cli.convert_dataset import main


def write_manifest(native: Path, file: Path) -> Path:
    """One patient without a mask and one without an outcome; clinical columns of the user's."""
    rows = ["Case_ID,ct,pet,MASK,time,event,stage,hospital"]
    for number in range(4):
        files = ",".join(
            str(native / f"phantom{number:03}{ending}.nii.gz") for ending in ("__CT", "__PT", "")
        )
        rows.append(f"patient_{number},{files},{100 + number},{number % 2},II,North")
    rows[3] = rows[3].replace(",102,0,", ",NA,,")
    rows[4] = rows[4].replace(str(native / "phantom003.nii.gz"), "")
    file.write_text("\n".join(rows) + "\n")
    return file


@dataclass(frozen=True)
class ManifestCohort:
    """The manifest, to be converted into ``raw``."""

    manifest: Path
    raw: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def folder(self) -> Path:
        """Of the data set."""
        return self.raw / "Dataset008_manifest"

    def arguments(self, *options: str, manifest: Path | None = None, spacing: bool = True) -> list[str]:
        common = ["-d", "8", "-o", str(self.raw), "-np", "1", "--labels", "GTVp", "GTVn"]
        source = ["manifest", str(manifest or self.manifest)]
        return [*source, *common, *(["--spacing", "5"] if spacing else []), *options]

    def convert(self, *options: str, manifest: Path | None = None, spacing: bool = True) -> int:
        """The command's exit code."""
        return main(self.arguments(*options, manifest=manifest, spacing=spacing))

    def into(self, raw: Path) -> "ManifestCohort":
        """The same, to be converted elsewhere."""
        return ManifestCohort(self.manifest, raw, self.capsys)

    def error(self) -> str:
        """What the command has said on stderr since this was last asked."""
        return self.capsys.readouterr().err

    def edit(self, old: str, new: str) -> None:
        """Write something else into the manifest."""
        text = self.manifest.read_text()
        assert old in text
        self.manifest.write_text(text.replace(old, new))

    def images(self) -> dict[str, bytes]:
        """Every image of the data set."""
        return {path.name: path.read_bytes() for path in self.folder.rglob("*.nii.gz")}

    def times_written(self) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (self.folder / "imagesTr").iterdir()}
