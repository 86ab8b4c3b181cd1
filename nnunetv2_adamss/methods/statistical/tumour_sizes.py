"""Volume and SUVmax of the tumours of a fold, each used as a risk score."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, measure_tumour
from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import open_cases
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, channel_names, dataset_folder, raw_images
from nnunetv2_adamss.survival.nnunet_data.dataset_json import ignore_label_of
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource


def tumour_sizes(
    names: Sequence[str], masks: MaskSource, nnunet_fold: NnunetFold, case_ids: Sequence[str], device: str
) -> pd.DataFrame:
    """Measure volume or SUVmax of the tumours in the masks of the fold's Stage II, which are predicted if need be.

    Args:
        names: which of the two.
        masks: of the fold.
        nnunet_fold: for its images.
        case_ids: of the patients.
        device: where missing masks are predicted.

    Raises:
        ValueError: if it is not clear which channel is the PET.
    """
    masks.prepare()
    missing = masks.missing(case_ids)
    if missing:
        cases = open_cases(nnunet_fold.cases_folder)
        masks.predict(missing, cases, torch.device(device), lambda case_id: None)
    pets = _pets(nnunet_fold) if SUV_MAX in names else {}
    ignore_label = ignore_label_of(nnunet_fold.dataset_json)
    rows = {
        case_id: measure_tumour(masks.mask_file(case_id), pets.get(case_id), ignore_label)
        for case_id in case_ids
    }
    return pd.DataFrame.from_dict(rows, orient="index")[list(names)]


def _pets(nnunet_fold: NnunetFold) -> dict[str, Path]:
    """Return the PET of every training case of the data set, by ``case_id``."""
    channel = find_channel(channel_names(nnunet_fold.dataset_json), "PET")
    raw = dataset_folder(RAW, nnunet_fold.plans["dataset_name"])
    found = raw_images(raw)
    return {case_id: Path(files["images"][channel]) for case_id, files in found.items()}
