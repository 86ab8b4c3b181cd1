"""The folder of a fold's explanations: its files, and their provenance."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.files import write_atomically, write_json
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import csv_text, read_csv
from nnunetv2_adamss.explanation.gate_weights import STAGES

logger = logging.getLogger(__name__)

PROVENANCE_FILE = "provenance.json"
_REPLACE = "Give --overwrite to replace the whole folder."


@dataclass(frozen=True)
class ExplanationFolder:
    """``fold_F/explanation``.

    Args:
        path: of the folder.
    """

    path: Path

    @property
    def gate_weights(self) -> Path:
        """Table IV of the fold."""
        return self.path / "gate_weights.csv"

    @property
    def gate_weights_by_case(self) -> Path:
        """Weights of each case, whose mean is Table IV."""
        return self.path / "gate_weights_by_case.csv"

    @property
    def modality_occlusion(self) -> Path:
        """Change of risk by each whole modality."""
        return self.path / "modality_occlusion.csv"

    def attention_maps(self, case_id: str, n_levels: int) -> dict[str, list[Path]]:
        """Return the NIfTI files of the finest levels, by training stage."""
        return {
            stage: [
                self.path / "attention" / f"{case_id}_{stage}{'' if level == 1 else f'_level_{level}'}.nii.gz"
                for level in range(1, n_levels + 1)
            ]
            for stage in STAGES
        }

    def attention_picture(self, case_id: str) -> Path:
        """Return the attention picture of a case."""
        return self.path / "attention" / f"{case_id}.png"

    def occlusion_files(self, case_id: str, channel: str | None) -> tuple[Path, Path]:
        """Return map and picture of a case, for all modalities or one."""
        folder = self.path / occlusion_folder(channel)
        return folder / f"{case_id}.nii.gz", folder / f"{case_id}.png"

    def begin(self, provenance: Mapping[str, Any], occlusions: Mapping[str, Any], *, overwrite: bool) -> None:
        """Prepare the folder; results of the same checkpoints and settings stay.

        Args:
            provenance: sources of the explanations, and notes under ``notes``, which may differ.
            occlusions: settings of the occlusion maps to make, by folder.
            overwrite: remove present results.

        Raises:
            ValueError: if present results have other sources.
        """
        if overwrite:
            shutil.rmtree(self.path, ignore_errors=True)
        found = self._read_provenance()
        if found is not None:
            self._check_same(found, provenance, occlusions)
            occlusions = {**found["occlusion_maps"], **occlusions}
        content = {**provenance, "occlusion_maps": occlusions}
        write_json(self.path / PROVENANCE_FILE, content)

    def _read_provenance(self) -> dict[str, Any] | None:
        file = self.path / PROVENANCE_FILE
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return None
        try:
            return read_object(file, occlusion_maps=dict)
        except (OSError, ValueError) as error:
            raise ValueError(f"What {self.path} was made from is not known: {error} {_REPLACE}") from error

    def _check_same(
        self, found: Mapping[str, Any], provenance: Mapping[str, Any], occlusions: Mapping[str, Any]
    ) -> None:
        changed = [name for name, value in provenance.items() if name != "notes" and found.get(name) != value]
        changed += [
            f"settings of {name}/"
            for name, settings in occlusions.items()
            if found["occlusion_maps"].get(name, settings) != settings
        ]
        if changed:
            raise ValueError(
                f"What is in {self.path} was made with something else (different: {listed(changed)}). {_REPLACE}"
            )


def occlusion_folder(channel: str | None) -> str:
    """Return the folder name of maps in which blocks blank all modalities, or one."""
    return "occlusion" if channel is None else f"occlusion_{channel}"


@dataclass(frozen=True)
class CaseTable:
    """A CSV file that grows by cases, so that a run that was stopped continues.

    Args:
        file: with a column ``case_id``.
    """

    file: Path

    def read(self) -> pd.DataFrame:
        """Read all rows so far; none if the file is damaged, so that its cases are explained again."""
        empty = pd.DataFrame({"case_id": []})
        if not self.file.is_file():
            return empty
        try:
            table = read_csv(self.file, dtype={"case_id": str})
        except ValueError:  # includes pandas' own errors, and bytes that are no text
            table = empty
        if "case_id" not in table or table.empty or table.isna().any(axis=None):
            logger.warning("%s is damaged, so its cases are explained again.", self.file)
            return empty
        return table

    def lacks(self, case_id: str) -> bool:
        """Return True if a case has no row yet."""
        return case_id not in set(self.read()["case_id"])

    def add(self, rows: pd.DataFrame) -> None:
        """Append the rows of a case."""
        before = self.read()
        table = pd.concat([before, rows]) if len(before) else rows
        write_atomically(self.file, csv_text(table, index=False))
