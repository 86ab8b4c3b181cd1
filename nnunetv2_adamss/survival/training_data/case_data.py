"""The data of the cases of a survival training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from numpy.typing import NDArray
from torch import Tensor

from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.survival.tumour_region.region import Region

Sample = dict[str, Any]


class SurvivalTargets(NamedTuple):
    """The outcomes of a batch, as the losses take them.

    Attributes:
        survived: S of Eq. (1), ``(b, n_intervals)`` of 0 and 1.
        failed: S-bar of Eq. (1), ``(b, n_intervals)`` of 0 and 1.
        event: 1 = observed, 0 = censored, ``(b,)``.
        time: to event or censoring, ``(b,)``.
    """

    survived: Tensor
    failed: Tensor
    event: Tensor
    time: Tensor

    def to(self, device: torch.device) -> "SurvivalTargets":
        """Move the targets to a device."""
        return SurvivalTargets(*(tensor.to(device, non_blocking=True) for tensor in self))

    @classmethod
    def stacked(cls, targets: Sequence["SurvivalTargets"]) -> "SurvivalTargets":
        """Stack the targets of several cases, each without ``b``."""
        return cls(*(torch.stack(tensors) for tensors in zip(*targets, strict=True)))


@dataclass(frozen=True)
class CaseData:
    """The cases of a fold; their images stay on disk until they are needed.

    Args:
        dataset: nnU-Net's preprocessed cases.
        regions: by ``case_id``.
        covariates: ``(n_covariates,)`` by ``case_id``.
        targets: without ``b``, by ``case_id``.
    """

    dataset: nnUNetBaseDataset
    regions: Mapping[str, Region]
    # Not shown: nnU-Net writes every attribute of a trainer into debug.json, which goes into exported models.
    covariates: Mapping[str, NDArray[np.float32]] = field(repr=False)
    targets: Mapping[str, SurvivalTargets] = field(repr=False)

    def sample(self, case_id: str, image: Tensor, valid: Tensor) -> Sample:
        """Sample of one case, with all that the network and the loss need."""
        return {
            "case_id": case_id,
            "image": image,
            "valid": valid,
            "covariates": torch.from_numpy(self.covariates[case_id]).float(),
            "targets": self.targets[case_id],
        }

    @classmethod
    def of_setup(
        cls, setup: SurvivalSetup, dataset: nnUNetBaseDataset, regions: Mapping[str, Region]
    ) -> "CaseData":
        """Convert outcomes to targets and covariates to inputs, for all cases of the fold."""
        fold = setup.fold
        case_ids = fold.all_cases
        times, events = setup.table.time_and_event(case_ids)
        outcomes = (*interval_labels(fold.edges, events, times), events.astype(np.float32), times)
        targets = {
            case_id: SurvivalTargets(
                *(torch.as_tensor(values[i], dtype=torch.float32) for values in outcomes)
            )
            for i, case_id in enumerate(case_ids)
        }
        return cls(dataset, regions, fold.covariates.apply(setup.covariates, case_ids), targets)
