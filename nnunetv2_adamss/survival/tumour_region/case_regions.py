"""The regions of a data set's cases, from their masks."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import tumour_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.nnunet_data.case_geometry import read_case_mask
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import (
    Region,
    region_around,
    share_in_region,
    tumour_centre,
)

logger = logging.getLogger(__name__)

# Share of a tumour in its region, below which a warning is logged.
LEAST_SHARE = 0.95


@dataclass(frozen=True)
class CaseRegion:
    """The region of one case.

    Args:
        region: in preprocessed voxels.
        tumour_found: False if the mask is empty and the likeliest point is used instead.
        share_of_mask: share of the tumour in the region, in [0, 1].
    """

    region: Region
    tumour_found: bool
    share_of_mask: float


def locate_region(
    tumour: NDArray[np.bool_],
    likeliest_point: Callable[[], NDArray[np.float64]],
    grid: PreprocessedGrid,
    size: Sequence[int],
) -> CaseRegion:
    """Locate the region of one case, in the same way in training and for new patients.

    choice: the paper does not define the region if no tumour is found; here the likeliest point is its centre.

    Args:
        tumour: the mask in image space, axes as nnU-Net's reader gives them.
        likeliest_point: called only if the mask is empty.
        grid: from image to preprocessed space.
        size: of the region in preprocessed voxels.
    """
    centre = tumour_centre(tumour)
    found = centre is not None
    region = region_around(centre if centre is not None else likeliest_point(), grid, size)
    return CaseRegion(region, found, share_in_region(tumour, grid, region))


def find_regions(
    case_ids: Iterable[str],
    masks: MaskSource,
    dataset: nnUNetBaseDataset,
    *,
    plans_manager: PlansManager,
    dataset_json: Mapping[str, Any],
    size: Sequence[int],
) -> dict[str, CaseRegion]:
    """Find the regions of these cases; log cases without a tumour or with one that leaves the region.

    Raises:
        ValueError: naming all cases whose mask cannot be read, does not lie on the image's grid, or is empty
            without a likeliest point.
    """
    ignore_label = plans_manager.get_label_manager(dict(dataset_json)).ignore_label
    regions = {}
    faults = []
    for case_id in case_ids:
        data, _, _, properties = dataset.load_case(case_id)
        grid = PreprocessedGrid.of_case(properties, plans_manager.transpose_forward, data.shape[1:])
        try:
            mask = read_case_mask(masks.mask_file(case_id), properties, plans_manager)
            tumour = tumour_of(mask, ignore_label)
            regions[case_id] = locate_region(tumour, partial(masks.likeliest_point, case_id), grid, size)
        except ValueError as error:
            faults.append(f"{case_id} ({error})")
    if faults:
        raise ValueError(f"{len(faults)} mask(s) cannot be used: {listed(faults)}.")
    _warn(regions)
    return regions


def _warn(regions: Mapping[str, CaseRegion]) -> None:
    without_tumour = [case_id for case_id, found in regions.items() if not found.tumour_found]
    if without_tumour:
        logger.warning(
            "No tumour was found in %d case(s): %s. Their regions lie around the likeliest point.",
            len(without_tumour),
            listed(without_tumour),
        )
    cut = [f"{c} ({r.share_of_mask:.0%})" for c, r in regions.items() if r.share_of_mask < LEAST_SHARE]
    if cut:
        logger.warning(
            "In %d case(s) less than %.0f%% of the tumour lies in the region: %s.",
            len(cut),
            100 * LEAST_SHARE,
            listed(cut),
        )
