"""Explain a trained fold: Table IV, Fig. 3, and the parts of the image that the risk depends on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.explanation.explained_case import ExplainedCase
from nnunetv2_adamss.explanation.explained_model import ExplainedModel, versions
from nnunetv2_adamss.explanation.explanation_folder import CaseTable, ExplanationFolder, occlusion_folder
from nnunetv2_adamss.explanation.explanation_settings import ExplanationSettings
from nnunetv2_adamss.explanation.gate_weights import (
    STAGES,
    gate_weights_of_case,
    mean_gate_weights,
    table_four,
)
from nnunetv2_adamss.explanation.occlusion import blocks, occlusion_map, risk_and_channel_changes
from nnunetv2_adamss.explanation.pictures import CaseViews, draw_attention, draw_occlusion
from nnunetv2_adamss.networks.trunk import Interpretation

EXPLANATION_FOLDER = "explanation"


@dataclass(frozen=True)
class ExplanationReport:
    """Results of an explanation.

    Args:
        folder: of the results.
        table_four: mean fusion weights.
        n_cases: number of cases in the tables.
        cases_with_maps: cases with attention and occlusion maps.
        in_sample: whether the network was trained on these cases.
    """

    folder: Path
    table_four: pd.DataFrame
    n_cases: int
    cases_with_maps: Sequence[str]
    in_sample: bool


def explain(
    model: ExplainedModel,
    settings: ExplanationSettings,
    output: Path | None = None,
    *,
    overwrite: bool = False,
) -> ExplanationReport:
    """Write the explanations of a fold that are missing.

    Args:
        model: of a trained fold.
        settings: choice of maps and cases.
        output: folder to write to; default ``fold_F/explanation``.
        overwrite: replace present explanations.

    Raises:
        ValueError: if a case or channel does not exist, or the folder holds results of other checkpoints or settings.
    """
    folder = output or model.checkpoint.file.parent / EXPLANATION_FOLDER
    run = _Run(model, settings, ExplanationFolder(folder))
    run.folder.begin(run.provenance(), run.occlusion_settings(), overwrite=overwrite)
    unfinished = [case_id for case_id in model.case_ids if run.is_missing(case_id)]
    if unfinished:
        for case in tqdm(model.read(unfinished), "Cases", len(unfinished), unit="case", disable=no_bar()):
            run.explain_case(case)
    by_case = run.gate_weights.read()
    table = table_four(by_case[by_case["case_id"].isin(model.case_ids)])
    write_atomically(run.folder.gate_weights, csv_text(table, index=False))
    return ExplanationReport(
        run.folder.path, table, len(model.case_ids), run.cases_with_maps, model.is_in_sample
    )


class _Run:
    """One call of ``explain``: the request, and the results that are there."""

    def __init__(
        self, model: ExplainedModel, settings: ExplanationSettings, folder: ExplanationFolder
    ) -> None:
        self.model = model
        self.settings = settings
        self.folder = folder
        self.cases_with_maps = settings.cases_with_maps(model.case_ids)
        self.blanked = settings.blanked_channels(model.channels)
        self.gate_weights = CaseTable(folder.gate_weights_by_case)
        self.modality_occlusion = CaseTable(folder.modality_occlusion)

    def provenance(self) -> dict[str, Any]:
        return {
            **self.model.provenance(),
            "notes": {
                "cases": "training cases, which the network knows"
                if self.model.is_in_sample
                else "validation cases",
                "n_cases": len(self.model.case_ids),
                "blanked": "0 in normalised intensities",
                "risk_score_unit": f"{self.model.time_unit} of predicted time, negative",
                "versions": dict(versions()),
            },
        }

    def occlusion_settings(self) -> dict[str, Any]:
        """Return the settings of the occlusion maps that this call makes, by folder."""
        if not self.settings.occlusion:
            return {}
        sides = {"block_mm": self.settings.occlusion_mm, "step_mm": self.settings.step_mm}
        return {occlusion_folder(self.settings.occlude_channel): sides}

    # ------------------------------------------------------------------------------------- missing results

    def is_missing(self, case_id: str) -> bool:
        """Return True if any result of a case is still to be made."""
        return (
            self.gate_weights.lacks(case_id)
            or self.modality_occlusion.lacks(case_id)
            or self._lacks_attention(case_id)
            or self._lacks_occlusion(case_id)
        )

    def _lacks_attention(self, case_id: str) -> bool:
        maps = self.folder.attention_maps(case_id, self._n_levels)
        files = [self.folder.attention_picture(case_id), *(file for stage in maps.values() for file in stage)]
        return case_id in self.cases_with_maps and not all(file.is_file() for file in files)

    def _lacks_occlusion(self, case_id: str) -> bool:
        files = self.folder.occlusion_files(case_id, self.settings.occlude_channel)
        return (
            self.settings.occlusion
            and case_id in self.cases_with_maps
            and not all(file.is_file() for file in files)
        )

    @property
    def _n_levels(self) -> int:
        """Number of attention levels that are written as NIfTI."""
        return len(self.model.stage_two.decoder.blocks) if self.settings.all_levels else 1

    # ------------------------------------------------------------------------------------ results of a case

    def explain_case(self, case: ExplainedCase) -> None:
        """Make the missing results of a case; files are written one after the other, each completely or not at all."""
        lacks_gate_weights = self.gate_weights.lacks(case.case_id)
        lacks_attention = self._lacks_attention(case.case_id)
        if lacks_gate_weights or lacks_attention:
            seen = self.model.look(case)
            if lacks_gate_weights:
                means = (mean_gate_weights(seen[stage].w_fuse, case.valid) for stage in STAGES)
                self.gate_weights.add(gate_weights_of_case(case.case_id, *means))
            if lacks_attention:
                self._write_attention(case, seen)
        if self.modality_occlusion.lacks(case.case_id):
            self._write_modality_occlusion(case)
        if self._lacks_occlusion(case.case_id):
            self._write_occlusion(case)

    def _write_attention(self, case: ExplainedCase, seen: dict[str, Interpretation]) -> None:
        files = self.folder.attention_maps(case.case_id, self._n_levels)
        views: dict[str, list[NDArray[np.float32]]] = {}
        for stage in STAGES:
            maps = [case.in_box(_as_array(attention)) for attention in seen[stage].attention]
            for values, file in zip(maps, files[stage], strict=False):
                case.write(values, file)
            views[stage] = [case.geometry.turned(values) for values in maps]
        # The picture comes last: if it is there, so are the maps.
        draw_attention(
            self.folder.attention_picture(case.case_id),
            f"{case.case_id}: where the decoder looks, for segmentation (Stage I) and survival (Stage II)",
            self._views(case),
            views,
        )

    def _write_modality_occlusion(self, case: ExplainedCase) -> None:
        risk, changes = risk_and_channel_changes(self.model.risk_of(case), case.image)
        columns = {
            f"change_by_{name}": change for name, change in zip(self.model.channels, changes, strict=True)
        }
        self.modality_occlusion.add(pd.DataFrame([{"case_id": case.case_id, "risk_score": risk, **columns}]))

    def _write_occlusion(self, case: ExplainedCase) -> None:
        spacing_mm, settings = self.model.configuration.spacing, self.settings
        windows = blocks(
            case.space.region.size,
            _in_voxels(settings.occlusion_mm, spacing_mm),
            _in_voxels(settings.step_mm, spacing_mm),
        )
        with tqdm(total=len(windows), desc=f"Blocks of {case.case_id}", leave=False, disable=no_bar()) as bar:
            change = occlusion_map(
                self.model.risk_of(case),
                case.image,
                windows,
                channels=self.blanked,
                # A batch that fits in training fits here: regions are larger than patches, but nothing is kept for
                # gradients.
                batch_size=self.model.configuration.batch_size,
                on_done=bar.update,
            )
        in_box = case.in_box(change)
        nifti, picture = self.folder.occlusion_files(case.case_id, settings.occlude_channel)
        case.write(in_box, nifti)
        draw_occlusion(
            picture,
            f"{case.case_id}: risk minus risk with a block of {settings.occlusion_mm:g} mm blanked in "
            f"{settings.occlude_channel or ' and '.join(self.model.channels)}",
            f"change of risk_score ({self.model.time_unit})\nabove 0: this place raises the risk",
            self._views(case),
            case.geometry.turned(in_box),
        )

    def _views(self, case: ExplainedCase) -> CaseViews:
        """Return the normalised modalities, as the network sees them, at the image's voxels, and the mask."""
        images = {
            name: case.geometry.turned(case.in_box(image))
            for name, image in zip(self.model.channels, case.image[0].cpu().numpy(), strict=True)
        }
        return CaseViews(images, self.model.tumour_view(case), case.geometry.view_spacing_mm)


def _as_array(attention: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = attention[0, 0].float().cpu().numpy()
    return values


def _in_voxels(length_mm: float, spacing_mm: Sequence[float]) -> list[int]:
    """Convert a length to voxels per axis, at least one."""
    return [max(1, round(length_mm / spacing)) for spacing in spacing_mm]
