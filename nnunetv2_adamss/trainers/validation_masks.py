"""Masks of the validation cases by a network that segments and predicts survival at the same time."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from nnunetv2.inference.export_prediction import export_prediction_from_logits
from torch import Tensor

from nnunetv2_adamss.common.nifti import put_image_in_place
from nnunetv2_adamss.survival.pooling import segment_region
from nnunetv2_adamss.survival.training_data.case_data import Sample
from nnunetv2_adamss.trained_folds.fold_files import PREDICTED_MASKS
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer

# Logit outside the region, which is background.
_OUTSIDE = -20.0


def write_validation_masks(trainer: SurvivalFoldTrainer) -> None:
    """Write the masks of the validation cases by the present network, each GPU its share."""
    folder = Path(trainer.output_folder) / PREDICTED_MASKS
    unfinished = folder.with_name(f"unfinished_masks_{trainer.local_rank}")
    unfinished.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    with torch.no_grad():
        for batch in trainer.whole_regions(trainer.survival_fold.validation_cases, "Masks"):
            case_id = batch["case_id"][0]
            export_mask(trainer, case_id, _segment(trainer, batch), unfinished / case_id)
            name = case_id + trainer.dataset_json["file_ending"]
            put_image_in_place(unfinished / name, folder / name)
    shutil.rmtree(unfinished)
    trainer.ranks.wait()


def _segment(trainer: SurvivalFoldTrainer, batch: Sample) -> Tensor:
    with trainer.autocast():
        logits = segment_region(
            trainer.bare_network,
            *trainer.inputs(batch),
            pool=trainer.survival_fold.config.pool,
            crop_size=trainer.crop_size,
        )
    return logits[0].float().cpu()


def export_mask(trainer: SurvivalFoldTrainer, case_id: str, logits: Tensor, file: Path) -> None:
    """Write the mask of a region on the grid of the original image.

    Args:
        trainer: with the cases of the fold.
        case_id: of the region.
        logits: of tumour in the region, ``(1, *space)``.
        file: without its ending.
    """
    cases = trainer.load_cases()
    data, _, _, properties = cases.dataset.load_case(case_id)
    inside = cases.regions[case_id].within(data.shape[1:])
    window = tuple(slice(start, start + side) for start, side in zip(inside.start, inside.size, strict=True))
    tumour = torch.full(data.shape[1:], _OUTSIDE)
    # Without the voxels that were added to reach multiples of the strides.
    tumour[window] = logits[0][tuple(slice(side) for side in inside.size)]
    export_prediction_from_logits(
        torch.stack([torch.zeros_like(tumour), tumour]), properties, trainer.configuration_manager,
        trainer.plans_manager, dict(_one_tumour(trainer.dataset_json)), str(file),
        num_threads_torch=torch.get_num_threads(),
    )  # fmt: skip


def _one_tumour(dataset_json: Mapping[str, Any]) -> Mapping[str, Any]:
    """The description of the data set with one label instead of all."""
    others = {name: value for name, value in dataset_json.items() if name != "regions_class_order"}
    return {**others, "labels": {"background": 0, "tumour": 1}}
