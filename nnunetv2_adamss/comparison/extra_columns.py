"""What some statistical methods look at beside covariates: size and uptake of the tumour, risks of a deep method."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class
from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

from nnunetv2_adamss.comparison.methods import DEEP_RISK, SUV_MAX, TUMOUR_VOLUME
from nnunetv2_adamss.evaluation.baselines import suv_max, tumour_volume_ml
from nnunetv2_adamss.survival.files import replace_atomically, write_atomically
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, channel_names, dataset_folder
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.results.finished_folds import FinishedFold
from nnunetv2_adamss.survival.results.fold_results import (
    PREDICTED_MASKS,
    PREDICTIONS_FILE,
    SUMMARY_FILE,
    TRAINING_PREDICTIONS_FILE,
)
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource


def tumour_sizes(
    names: Sequence[str], masks: MaskSource, nnunet_fold: NnunetFold, case_ids: Sequence[str], device: str
) -> pd.DataFrame:
    """Volume or SUVmax of the tumours in the masks that the fold's Stage II uses, which are predicted if need be.

    Args:
        names: which of the two.
        masks: of the fold.
        nnunet_fold: for its images.
        case_ids: of whom.
        device: where missing masks are predicted.

    Raises:
        ValueError: if it is not clear which channel is the PET.
    """
    masks.prepare()
    missing = masks.missing(case_ids)
    if missing:
        folder = str(nnunet_fold.cases_folder)
        masks.predict(
            missing, infer_dataset_class(folder)(folder), torch.device(device), lambda case_id: None
        )
    measured = pd.DataFrame(index=list(case_ids))
    if TUMOUR_VOLUME in names:
        measured[TUMOUR_VOLUME] = [tumour_volume_ml(masks.mask_file(case_id)) for case_id in case_ids]
    if SUV_MAX in names:
        pets = _pets(nnunet_fold)
        measured[SUV_MAX] = [suv_max(pets[case_id], masks.mask_file(case_id)) for case_id in case_ids]
    return measured


def _pets(nnunet_fold: NnunetFold) -> dict[str, Path]:
    """The PET of every training case of the data set, by ``case_id``."""
    channel = find_channel(channel_names(nnunet_fold.dataset_json), "PET")
    raw = dataset_folder(RAW, nnunet_fold.plans["dataset_name"])
    found = get_filenames_of_train_images_and_targets(str(raw))
    return {case_id: Path(files["images"][channel]) for case_id, files in found.items()}


def in_sample_risks(deep_folder: Path, fold: int, case_ids: Sequence[str]) -> pd.DataFrame:
    """What a deep method's fold says of its own training and validation cases.

    Raises:
        ValueError: if it is not trained to the end, or was trained on other cases.
    """
    folder = deep_folder / f"fold_{fold}"
    files = [folder / TRAINING_PREDICTIONS_FILE, folder / PREDICTIONS_FILE]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise ValueError(
            f"The method goes on with {deep_folder.name}, whose fold {fold} is not trained to the end: there is no "
            f"{listed(missing)}. Train it with adamss_finetune_survival."
        )
    risks = pd.concat([_risks(file) for file in files])
    if unknown := [case_id for case_id in case_ids if case_id not in risks.index]:
        raise ValueError(
            f"{folder} says nothing of {len(unknown)} case(s) of the fold: {listed(unknown)}. Train it anew on the "
            "same split and outcomes, without --select inner."
        )
    return risks.loc[list(case_ids)]


def out_of_fold_risks(deep_folder: Path, case_ids: Sequence[str]) -> pd.DataFrame:
    """What a deep method says of each case that it was not trained on.

    choice: risks of different folds are on different scales, so each fold's validation cases get the folds' average
    mean and standard deviation. New patients' risks, which are of all folds together, are about on that scale.

    Raises:
        ValueError: if not every case is a validation case of exactly one finished fold.
    """
    parts = [_risks(fold.folder / PREDICTIONS_FILE) for fold in _finished(deep_folder)]
    means = [float(part[DEEP_RISK].mean()) for part in parts]
    deviations = [float(part[DEEP_RISK].std(ddof=0)) for part in parts]
    aligned = [
        (part - mean) / (deviation or 1.0) * np.mean(deviations) + np.mean(means)
        for part, mean, deviation in zip(parts, means, deviations, strict=True)
    ]
    found = pd.concat(aligned) if aligned else pd.DataFrame(columns=[DEEP_RISK])
    _check_complete(deep_folder, case_ids, set(found.index))
    return found.loc[list(case_ids)]


def gather_out_of_fold_masks(deep_folder: Path, target: Path, case_ids: Sequence[str], ending: str) -> None:
    """Copy each case's mask from the fold that was not trained on it into one folder.

    Raises:
        ValueError: if not every case is a validation case of exactly one finished fold.
    """
    files = {
        file.name.removesuffix(ending): file
        for fold in _finished(deep_folder)
        for file in (fold.folder / PREDICTED_MASKS).glob(f"*{ending}")
    }
    _check_complete(deep_folder, case_ids, set(files))
    target.mkdir(parents=True, exist_ok=True)
    for case_id in case_ids:
        copy, original = target / files[case_id].name, files[case_id]
        # What is there stays untouched, or features that were extracted from it would look outdated.
        if not copy.is_file() or copy.read_bytes() != original.read_bytes():
            replace_atomically(copy, partial(shutil.copyfile, original))
    write_atomically(target / "README.txt", f"Validation masks of all folds of {deep_folder.name}.\n")


def _finished(deep_folder: Path) -> list[FinishedFold]:
    folders = [folder for folder in deep_folder.glob("fold_*") if (folder / SUMMARY_FILE).is_file()]
    numbers = sorted(int(n) for folder in folders if (n := folder.name.removeprefix("fold_")).isdecimal())
    folds = [FinishedFold(number, deep_folder / f"fold_{number}") for number in numbers]
    cases = pd.Series([case_id for fold in folds for case_id in _risks(fold.folder / PREDICTIONS_FILE).index])
    repeated = sorted(cases[cases.duplicated()].unique())
    if repeated:
        raise ValueError(
            f"{listed(repeated)} are in the validation part of several finished folds of {deep_folder}, so some of "
            "these folds are of a former split. Move their folders away."
        )
    return folds


def _check_complete(deep_folder: Path, case_ids: Sequence[str], found: set[str]) -> None:
    missing = [case_id for case_id in case_ids if case_id not in found]
    if missing:
        raise ValueError(
            f"The method needs what {deep_folder.name} says of every case by a fold that was not trained on it, but "
            f"{listed(missing)} are in no finished fold's validation part. Train all folds with "
            "adamss_finetune_survival."
        )


def _risks(file: Path) -> pd.DataFrame:
    table = pd.read_csv(file, dtype={"case_id": str}).set_index("case_id")
    return table[["risk_score"]].rename(columns={"risk_score": DEEP_RISK})
