"""Everything that a survival training needs of its cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from numpy.typing import NDArray
from torch import Tensor

from nnunetv2_adamss.survival.discrete_time.intervals import IntervalLabels, interval_labels
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.survival.tumour_region.region import Region

Sample = dict[str, Any]


@dataclass(frozen=True)
class CaseData:
    """The cases of a fold; their images stay on disk until asked for.

    Args:
        dataset: nnU-Net's preprocessed cases.
        regions: by ``case_id``.
        covariates: ``(n_covariates,)`` by ``case_id``.
        labels: ``(1, n_intervals)`` each, by ``case_id``.
    """

    dataset: nnUNetBaseDataset
    regions: Mapping[str, Region]
    # Not shown: nnU-Net writes every attribute of a trainer into debug.json, which goes into exported models.
    covariates: Mapping[str, NDArray[np.float32]] = field(repr=False)
    labels: Mapping[str, IntervalLabels] = field(repr=False)

    def sample(self, case_id: str, image: Tensor, valid: Tensor) -> Sample:
        """What the network and the loss need of one case."""
        return {
            "case_id": case_id,
            "image": image,
            "valid": valid,
            "covariates": torch.from_numpy(self.covariates[case_id]).float(),
            "survived": torch.from_numpy(self.labels[case_id].survived[0]),
            "failed": torch.from_numpy(self.labels[case_id].failed[0]),
        }

    @classmethod
    def of_setup(
        cls, setup: SurvivalSetup, dataset: nnUNetBaseDataset, regions: Mapping[str, Region]
    ) -> "CaseData":
        """Outcomes as labels and covariates as inputs, of all cases of the fold."""
        fold = setup.fold
        case_ids = fold.all_cases
        times, events = setup.table.time_and_event(case_ids)
        labels = {
            case_id: interval_labels(fold.edges, events[i : i + 1], times[i : i + 1])
            for i, case_id in enumerate(case_ids)
        }
        return cls(dataset, regions, fold.covariates.apply(setup.covariates, case_ids), labels)
