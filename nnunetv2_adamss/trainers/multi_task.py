"""Survival training of a network that also segments: both losses at once."""

import shutil
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from nnunetv2.inference.export_prediction import export_prediction_from_logits
from torch import Tensor

from nnunetv2_adamss.common.nifti import put_image_in_place
from nnunetv2_adamss.networks.survival_network import MultiTaskOutput
from nnunetv2_adamss.survival.pooling import segment_region
from nnunetv2_adamss.survival.training_data.case_data import CaseData, Sample
from nnunetv2_adamss.survival.training_data.samples import TrainingCrops
from nnunetv2_adamss.trained_folds.fold_files import PREDICTED_MASKS
from nnunetv2_adamss.trainers.other_network import other_network
from nnunetv2_adamss.trainers.survival import SurvivalTrainer

# Where the network did not look: a logit that nobody takes for a tumour.
_OUTSIDE = -20.0


class MultiTaskTrainer(SurvivalTrainer):
    """Sum of a survival loss and a segmentation loss on the same crops."""

    # The Dice is that of the whole batch.
    needs_even_shares = True
    survival_weight = 1.0
    segmentation_weight = 1.0

    @abstractmethod
    def segmentation_loss(self, logits: Tensor, tumour: Tensor) -> Tensor:
        """Loss of the logit of tumour, a scalar.

        Args:
            logits: ``(b, 1, *space)``.
            tumour: ``(b, 2, *space)`` of 0 and 1: where it is, and what does not count.
        """

    def training_loss(self, output: Tensor | MultiTaskOutput, batch: Sample) -> Tensor:
        """Weighted sum of both losses, a scalar."""
        if not isinstance(output, MultiTaskOutput):
            raise other_network(output, MultiTaskOutput)
        segmentation = self.segmentation_loss(output.segmentation, self._to_device(batch["tumour"]))
        survival = super().training_loss(output, batch)
        return self.survival_weight * survival + self.segmentation_weight * segmentation

    def _training_crops(self, cases: CaseData) -> TrainingCrops:
        return TrainingCrops(
            cases,
            self.crop_size,
            self.spacing_mm,
            with_tumour=True,
            ignore_label=self.label_manager.ignore_label,
        )

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """As every survival trainer, and with the masks of the validation cases by the last epoch."""
        # The summary, written last, tells that everything is there.
        self.ranks.wait()
        self.load_epoch("last")
        self._write_masks()
        super().perform_actual_validation(save_probabilities)

    def _write_masks(self) -> None:
        folder = Path(self.output_folder) / PREDICTED_MASKS
        unfinished = folder.with_name(f"unfinished_masks_{self.local_rank}")
        unfinished.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        with torch.no_grad():
            for batch in self._whole_regions(self.survival_fold.validation_cases, "Masks"):
                case_id = batch["case_id"][0]
                self._export(case_id, self._segment(batch), unfinished / case_id)
                name = case_id + self.dataset_json["file_ending"]
                put_image_in_place(unfinished / name, folder / name)
        shutil.rmtree(unfinished)
        self.ranks.wait()

    def _segment(self, batch: Sample) -> Tensor:
        with self._autocast():
            logits = segment_region(
                self._bare_network,
                *self._inputs(batch),
                pool=self.survival_fold.config.pool,
                crop_size=self.crop_size,
            )
        return logits[0].float().cpu()

    def _export(self, case_id: str, logits: Tensor, file: Path) -> None:
        """Put the region back into the image, and the image onto its own grid."""
        cases = self._load_cases()
        data, _, _, properties = cases.dataset.load_case(case_id)
        inside = cases.regions[case_id].within(data.shape[1:])
        window = tuple(
            slice(start, start + side) for start, side in zip(inside.start, inside.size, strict=True)
        )
        tumour = torch.full(data.shape[1:], _OUTSIDE)
        # Beyond is what the strides were rounded up to.
        tumour[window] = logits[0][tuple(slice(side) for side in inside.size)]
        export_prediction_from_logits(
            torch.stack([torch.zeros_like(tumour), tumour]), properties, self.configuration_manager,
            self.plans_manager, dict(_one_tumour(self.dataset_json)), str(file),
            num_threads_torch=torch.get_num_threads(),
        )  # fmt: skip


def _one_tumour(dataset_json: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same data set with all its labels in one."""
    others = {name: value for name, value in dataset_json.items() if name != "regions_class_order"}
    return {**others, "labels": {"background": 0, "tumour": 1}}
