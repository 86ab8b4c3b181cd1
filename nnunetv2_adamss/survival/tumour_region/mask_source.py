"""Sources of the tumour masks of a survival training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, read_splits
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.foreign_files.model_checkpoints import check_nnunet_may_open
from nnunetv2_adamss.survival.tumour_region.stage_one_masks import StageOneMasks
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


class GivenMasks:
    """Existing masks: the ground truth, or a folder of the user's.

    Args:
        folder: one file a case.
        file_ending: of the files.
    """

    def __init__(self, folder: Path, file_ending: str) -> None:
        self.folder = folder
        self.file_ending = file_ending

    def check(self, case_ids: Sequence[str]) -> None:
        """Raise ValueError if a case has no mask, naming such cases."""
        missing = [case_id for case_id in case_ids if not self.mask_file(case_id).is_file()]
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(case_ids)} cases have no mask in {self.folder}: {listed(missing)}. Each case "
                f"needs a file case_id{self.file_ending} there."
            )

    def sources(self) -> dict[str, str]:
        """Return no hashes, since no network makes these masks."""
        return {}

    def prepare(self) -> None:
        """Do nothing: the masks exist."""

    def missing(self, case_ids: Sequence[str]) -> list[str]:
        """Return no cases: all masks exist."""
        return []

    def predict(
        self,
        case_ids: Sequence[str],
        dataset: nnUNetBaseDataset,
        device: torch.device,
        on_case_predicted: Callable[[str], object],
    ) -> None:
        """Do nothing: all masks exist."""

    def mask_file(self, case_id: str) -> Path:
        """File of the mask of a case."""
        return self.folder / f"{case_id}{self.file_ending}"

    def likeliest_point(self, case_id: str) -> np.ndarray:
        """Raise ValueError, since there is no likeliest point without a network.

        Raises:
            ValueError: always.
        """
        raise ValueError("it is empty, so the tumour's place is unknown")


class PredictedMasks:
    """Masks that Stage-I networks predict.

    Args:
        masks_of_case: the fold's masks that a case is taken from, by ``case_id``.
        file_ending: of the files.
    """

    def __init__(self, masks_of_case: Mapping[str, StageOneMasks], file_ending: str) -> None:
        self.masks_of_case = masks_of_case
        self.file_ending = file_ending
        # One object a fold, in the order of the cases.
        self.folds = list({id(masks): masks for masks in masks_of_case.values()}.values())

    def check(self, case_ids: Sequence[str]) -> None:
        """Raise ValueError if a Stage-I checkpoint does not exist."""
        for masks in self.folds:
            masks.model.check_exists()

    def sources(self) -> dict[str, str]:
        """Hashes of the checkpoints that make the masks, by a name for messages."""
        return {
            f"Stage-I masks (fold {masks.model.fold})": sha256_of(masks.model.checkpoint)
            for masks in self.folds
        }

    def prepare(self) -> None:
        """Remove masks that belong to other checkpoints or settings; one process only."""
        for masks in self.folds:
            masks.discard_outdated()

    def missing(self, case_ids: Sequence[str]) -> list[str]:
        """The cases that are not predicted yet."""
        return [c for c in case_ids if not self.masks_of_case[c].is_there(c, self.file_ending)]

    def predict(
        self,
        case_ids: Sequence[str],
        dataset: nnUNetBaseDataset,
        device: torch.device,
        on_case_predicted: Callable[[str], object],
    ) -> None:
        """Predict the masks of these cases, each with the network of its fold.

        Raises:
            ValueError: before anything is predicted, if a fold's network cannot be loaded.
        """
        used = {
            masks: [case_id for case_id in case_ids if self.masks_of_case[case_id] is masks]
            for masks in self.folds
        }
        used = {masks: own for masks, own in used.items() if own}
        for masks in used:
            check_nnunet_may_open(masks.model.checkpoint)
        for masks, own in used.items():
            masks.predict(own, dataset, device, on_case_predicted)

    def mask_file(self, case_id: str) -> Path:
        """File of the mask of a case."""
        return self.masks_of_case[case_id].mask_file(case_id, self.file_ending)

    def likeliest_point(self, case_id: str) -> np.ndarray:
        """The image point of highest foreground probability, for an empty mask."""
        return self.masks_of_case[case_id].likeliest_point(case_id)


MaskSource = GivenMasks | PredictedMasks


def mask_provenance(config: SurvivalConfig, masks: MaskSource) -> dict[str, Any]:
    """Origin of masks, as plain data; results made from them are outdated if it has changed."""
    return {
        "source": config.mask_source,
        "folder": config.masks_dir,
        "mirroring": config.mirroring if isinstance(masks, PredictedMasks) else None,
        "checkpoints_sha256": masks.sources(),
    }


def choose_masks(
    config: SurvivalConfig,
    stage_one: StageOneModel,
    case_ids: Sequence[str],
    file_ending: str,
    preprocessed_folder: Path,
) -> MaskSource:
    """Choose the source of masks by the settings.

    Args:
        config: the settings.
        stage_one: the fold's own Stage-I model.
        case_ids: all cases that need a mask.
        file_ending: of mask files.
        preprocessed_folder: of the data set; holds nnU-Net's copy of the ground truth and the splits.

    Raises:
        ValueError: if masks are to be out of fold and a case is in no validation set.
    """
    if config.mask_source == "groundtruth":
        return GivenMasks(preprocessed_folder / "gt_segmentations", file_ending)
    if config.masks_dir is not None:
        return GivenMasks(Path(config.masks_dir), file_ending)
    fold_of_case: dict[str, int | str] = dict.fromkeys(case_ids, stage_one.fold)
    if config.mask_source == "out_of_fold":
        fold_of_case = fold_that_validates(case_ids, preprocessed_folder / SPLITS_FILE)
    masks = {
        fold: StageOneMasks(replace(stage_one, fold=fold), config.mirroring)
        for fold in set(fold_of_case.values())
    }
    return PredictedMasks({case_id: masks[fold] for case_id, fold in fold_of_case.items()}, file_ending)


def fold_that_validates(case_ids: Sequence[str], splits_file: Path) -> dict[str, int | str]:
    """Find, for each case, the fold whose Stage I was not trained on it.

    Raises:
        ValueError: if a case is in no validation set, or the file holds something else.
    """
    splits = read_splits(splits_file) if splits_file.is_file() else []
    fold_of_case: dict[str, int | str] = {c: fold for fold, split in enumerate(splits) for c in split["val"]}
    homeless = [case_id for case_id in case_ids if case_id not in fold_of_case]
    if homeless:
        raise ValueError(
            f"Out-of-fold masks need every case in the validation set of a fold of {splits_file}, but "
            f"{len(homeless)} are in none: {listed(homeless)}. Use --mask_source predicted, or other splits."
        )
    return {case_id: fold_of_case[case_id] for case_id in case_ids}
