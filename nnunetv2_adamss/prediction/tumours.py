"""Masks of a new patient's tumour: the ensemble's, and each fold's own for its survival network."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import UNFINISHED, removed_on_failure, replace_atomically
from nnunetv2_adamss.common.nifti import put_image_in_place
from nnunetv2_adamss.prediction.patient_images import PatientImages
from nnunetv2_adamss.prediction.prediction_folder import MaskFiles
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.survival.nnunet_data.case_geometry import read_case_mask
from nnunetv2_adamss.survival.tumour_region.stage_one_masks import (
    likeliest_tumour_point,
    stage_one_predictor,
)


@dataclass(frozen=True, eq=False)
class Tumour:
    """The tumour as a fold finds it.

    Args:
        mask: labels in image space, axes as nnU-Net's reader gives them.
        file: of the mask.
        likeliest_point: in image space, called if the mask is empty.
    """

    mask: NDArray[np.integer]
    file: Path
    likeliest_point: Callable[[], NDArray[np.float64]] = field(repr=False)


class TumourFinder(Protocol):
    """Finds the tumour in a preprocessed case and writes the masks."""

    def find(
        self, data: NDArray[np.float32], properties: dict[str, Any], images: PatientImages, files: MaskFiles
    ) -> dict[int | str, Tumour]:
        """Return the tumour as each fold finds it.

        Args:
            data: preprocessed by nnU-Net, ``(channels, *space)``.
            properties: nnU-Net's, of the case.
            images: the raw ones.
            files: to write.
        """
        ...


class StageOneTumours:
    """Finds tumours by the Stage-I networks of the model's folds; the ensemble averages logits, as in nnU-Net.

    Args:
        model: with the folds.
        device: where the networks run.
        mirroring: whether to use test-time mirroring.
    """

    def __init__(self, model: SurvivalModel, device: torch.device, mirroring: bool) -> None:
        self.folds = model.fold_numbers
        stage_one = model.first.stage_one_checkpoint
        self.predictor = stage_one_predictor(
            stage_one.parents[1], self.folds, stage_one.name, mirroring, device
        )

    def find(
        self, data: NDArray[np.float32], properties: dict[str, Any], images: PatientImages, files: MaskFiles
    ) -> dict[int | str, Tumour]:
        """Predict with every fold, and write its mask and the ensemble's."""
        total: torch.Tensor | None = None
        tumours = {}
        for fold, weights in zip(self.folds, self.predictor.list_of_parameters, strict=True):
            # nnU-Net compiles the network if its variable nnUNet_compile says so.
            network = self.predictor.network
            getattr(network, "_orig_mod", network).load_state_dict(weights)
            logits = self.predictor.predict_sliding_window_return_logits(torch.from_numpy(data)).cpu().float()
            point = likeliest_tumour_point(logits, properties, self.predictor)
            mask = self._to_image(logits, properties)
            self._write(mask, properties, files.by_fold[fold])
            tumours[fold] = Tumour(mask, files.by_fold[fold], partial(np.copy, point))
            total = logits if total is None else total.add_(logits)
        if total is not None and len(self.folds) > 1:
            self._write(self._to_image(total / len(self.folds), properties), properties, files.ensemble)
        return tumours

    def _to_image(self, logits: torch.Tensor, properties: dict[str, Any]) -> NDArray[np.integer]:
        predictor = self.predictor
        mask: NDArray[np.integer] = convert_predicted_logits_to_segmentation_with_correct_shape(
            logits, predictor.plans_manager, predictor.configuration_manager, predictor.label_manager, properties,
            num_threads_torch=torch.get_num_threads(),
        )  # fmt: skip
        return mask

    def _write(self, mask: NDArray[np.integer], properties: dict[str, Any], file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        # In a folder of its own, under the final name: nnU-Net's writers know formats by endings, and some write a
        # second file beside the mask.
        with TemporaryDirectory(prefix=f"{UNFINISHED}_", dir=file.parent.parent) as folder:
            unfinished = Path(folder) / file.name
            writer = self.predictor.plans_manager.image_reader_writer_class()
            with removed_on_failure(file, unfinished):
                writer.write_seg(mask, str(unfinished), properties)
                for written in Path(folder).iterdir():
                    put_image_in_place(written, file.parent / written.name)


class GivenTumours:
    """Takes tumours from the user's masks; every fold uses the same.

    Args:
        model: with the folds.
        folder: with one mask a case.
    """

    def __init__(self, model: SurvivalModel, folder: Path) -> None:
        self.folder = folder
        self.folds = model.fold_numbers
        self.ending = str(model.dataset_json["file_ending"])
        self.plans_manager = model.first.plans_manager

    def find(
        self, data: NDArray[np.float32], properties: dict[str, Any], images: PatientImages, files: MaskFiles
    ) -> dict[int | str, Tumour]:
        """Read the mask and copy it to the place of predicted ones.

        Raises:
            ValueError: if there is none, or it does not lie on the image's grid.
        """
        file = self.folder / f"{images.case_id}{self.ending}"
        mask = read_case_mask(file, properties, self.plans_manager)
        replace_atomically(files.ensemble, lambda unfinished: shutil.copyfile(file, unfinished))
        return {fold: Tumour(mask.astype(np.int64), files.ensemble, _unknown_point) for fold in self.folds}


def _unknown_point() -> NDArray[np.float64]:
    raise ValueError("its mask is empty, so the tumour's place is unknown")
