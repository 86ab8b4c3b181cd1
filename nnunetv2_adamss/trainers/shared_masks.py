"""Prediction of the Stage-I masks of a survival fold by all GPUs together."""

from collections.abc import Callable, Sequence
from time import sleep

import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from tqdm import tqdm

from nnunetv2_adamss.common.quiet import is_quiet
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource
from nnunetv2_adamss.trainers.ranks import Ranks


def predict_missing_masks(
    masks: MaskSource,
    case_ids: Sequence[str],
    dataset: nnUNetBaseDataset,
    *,
    device: torch.device,
    ranks: Ranks,
    log: Callable[[str], object],
) -> None:
    """Predict the missing masks, each GPU a share, and wait for those of the others.

    Args:
        masks: of the fold.
        case_ids: all cases of the fold.
        dataset: nnU-Net's preprocessed cases.
        device: of this process.
        ranks: all processes.
        log: called with a line that gives the number of masks to predict.
    """
    if ranks.rank == 0:
        masks.prepare()
    ranks.wait()
    own = ranks.share(masks.missing(case_ids))
    ranks.wait()
    if own:
        log(f"Stage I predicts the masks of {len(own)} cases")
        with tqdm(
            total=len(own), desc="Stage-I masks", unit="case", disable=ranks.rank > 0 or is_quiet()
        ) as bar:
            masks.predict(own, dataset, device, lambda case_id: bar.update())
    # A barrier times out after ten minutes, and another GPU's cases may take that much longer.
    while masks.missing(case_ids):
        sleep(1)
