"""Masks of patients by networks that were not trained on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.tumour_region.mask_source import GivenMasks, MaskSource, PredictedMasks
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_masks import masks_of


@dataclass(frozen=True)
class OutOfFoldMasks:
    """Mask files, as new patients would have them.

    Args:
        files: by ``case_id``.
        sha256: hashes of the networks that made them, by name; none for masks of the user.
    """

    files: Mapping[str, Path]
    sha256: Mapping[str, str]

    @classmethod
    def find(
        cls, validation: CrossValidation, fold_of_case: Mapping[str, int | str], folder: Path | None = None
    ) -> "OutOfFoldMasks":
        """Find the masks of validation cases.

        Args:
            validation: of a survival model.
            fold_of_case: number of the fold that validates each case.
            folder: of masks of the user; None for those that the folds predicted.

        Raises:
            ValueError: if there is no predicted mask of a case.
        """
        if folder is not None:
            given = GivenMasks(folder, str(validation.dataset_json["file_ending"]))
            given.check(list(fold_of_case))
            return cls({case_id: given.mask_file(case_id) for case_id in fold_of_case}, {})
        masks = {fold.number: masks_of(validation, fold) for fold in validation.folds}
        _check_predicted(masks)
        files = {case_id: masks[number].mask_file(case_id) for case_id, number in fold_of_case.items()}
        missing = [case_id for case_id, file in files.items() if not file.is_file()]
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(files)} cases have no mask in {files[missing[0]].parent}: {listed(missing)}. "
                "Give out-of-fold masks with --masks FOLDER."
            )
        return cls(files, {name: sha256 for one in masks.values() for name, sha256 in one.sources().items()})


def _check_predicted(masks: Mapping[int | str, MaskSource]) -> None:
    given = [str(number) for number, one in masks.items() if not isinstance(one, PredictedMasks)]
    if given:
        raise ValueError(
            f"Fold {', '.join(given)} was trained on masks that no network predicted, and new patients have only "
            "predicted ones. Give out-of-fold masks with --masks FOLDER, such as those that nnU-Net writes into each "
            "fold_F/validation."
        )
