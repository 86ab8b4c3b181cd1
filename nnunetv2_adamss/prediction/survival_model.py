"""A trained survival model: its folds, their Stage-I networks, its calibration, and the inputs that it needs."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import read_model_calibrations
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.discrete_time.curve import common_times
from nnunetv2_adamss.survival.foreign_files.model_checkpoints import check_nnunet_may_open
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.setup import STAGE_ONE_WEIGHTS
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SurvivalModel:
    """Some folds of a survival training, which predict as one.

    Args:
        folder: nnU-Net's, of all folds.
        folds: their checkpoints, at least one; all of one plan.
        checkpoint_name: of every fold.
        calibration: fitted on these folds' out-of-fold predictions, or None.
        sha256: of every checkpoint, by readable name.
    """

    folder: Path
    folds: tuple[SurvivalCheckpoint, ...] = field(repr=False)
    checkpoint_name: str
    calibration: Calibration | None
    sha256: Mapping[str, str]

    @classmethod
    def load(cls, folder: Path, folds: Sequence[int | str], checkpoint_name: str) -> "SurvivalModel":
        """Read the checkpoints and check that they belong together.

        Args:
            folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION`` of a survival training; Stage I lies beside it.
            folds: numbers, or ``all``.
            checkpoint_name: such as ``checkpoint_best.pth``.

        Raises:
            ValueError: if a checkpoint is not there, is damaged or foreign, the folds do not fit together, or a
                Stage-I network is not the one that a fold started from.
        """
        trained = tuple(TrainedFold.of_model(folder, fold).open(checkpoint_name) for fold in folds)
        _check_alike(trained)
        sha256 = {f"fold {fold.number}": sha256_of(fold.file) for fold in trained}
        sha256 |= {f"Stage I of fold {fold.number}": _stage_one_sha256(fold) for fold in trained}
        return cls(folder, trained, checkpoint_name, _calibration(folder, trained, checkpoint_name), sha256)

    @property
    def first(self) -> SurvivalCheckpoint:
        """First fold, for values that all folds share: plan, data set, Stage-I trainer, time unit."""
        return self.folds[0]

    @property
    def fold_numbers(self) -> list[int | str]:
        """Numbers of the folds, or ``all``."""
        return [fold.number for fold in self.folds]

    @property
    def channel_names(self) -> list[str]:
        """Names of the image channels, in the order of their numbers."""
        return channel_names(self.dataset_json)

    @property
    def dataset_json(self) -> Mapping[str, Any]:
        """Content of nnU-Net's ``dataset.json``, the same in all folds."""
        return self.first.nnunet_fold.dataset_json

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Times at which survival is given, ``(n_times,)``; all folds reach them."""
        return common_times([fold.survival.edges for fold in self.folds])

    @property
    def indicators(self) -> list[Indicator]:
        """Clinical indicators of all folds, fold by fold; several folds may have one of the same column."""
        return [one for fold in self.folds for one in fold.survival.covariates.indicators]

    @cached_property
    def clinical_columns(self) -> list[str]:
        """Clinical columns that any fold uses."""
        return list(dict.fromkeys(one.name for one in self.indicators))

    @cached_property
    def features(self) -> list[str]:
        """Radiomics and other features that any fold uses."""
        names = (name for fold in self.folds for name in fold.survival.covariates.features.names)
        return list(dict.fromkeys(names))

    @cached_property
    def radiomics(self) -> set[str]:
        """Features that are radiomics in every fold that uses them."""
        unknown = {
            name
            for fold in self.folds
            for name in fold.survival.covariates.features.names
            if name not in (fold.survival.radiomics or {}).get("features", ())
        }
        return set(self.features) - unknown


def _check_alike(folds: Sequence[SurvivalCheckpoint]) -> None:
    first = folds[0]
    for fold in folds[1:]:
        own, other = _shared_settings(fold), _shared_settings(first)
        differing = [name for name in own if own[name] != other[name]]
        if differing:
            raise ValueError(
                f"The folds {first.number} and {fold.number} do not predict as one: they "
                f"differ in {listed(differing)}. Choose folds that were trained alike with -f."
            )


def _shared_settings(fold: SurvivalCheckpoint) -> dict[str, Any]:
    survival = fold.survival
    settings = ("seg_trainer", "seg_checkpoint", "mirroring", "mask_source")
    return {
        "plan": _as_json(fold.nnunet_fold.plans),
        "time unit": survival.time_unit,
        "endpoint": survival.endpoint,
        **{name: getattr(survival.config, name) for name in settings},
    }


def _as_json(plans: Mapping[str, Any]) -> str:
    # Command-line options of a run are no part of the plan.
    return json.dumps(
        {k: v for k, v in plans.items() if k != "continue_training"}, sort_keys=True, default=str
    )


def _stage_one_sha256(fold: SurvivalCheckpoint) -> str:
    file = fold.stage_one_checkpoint
    if not file.is_file():
        raise ValueError(
            f"There is no Stage-I network {file}, which finds the tumours for {fold.file}. A survival model is "
            "used together with the segmentation model that it was fine-tuned from."
        )
    sha256 = sha256_of(file)
    if sha256 != fold.survival.sources.get(STAGE_ONE_WEIGHTS):
        raise ValueError(
            f"{file} has changed since {fold.file} was fine-tuned from it, so its masks are not those that the "
            "survival network knows. Bring the old checkpoint back, or train Stage II again."
        )
    check_nnunet_may_open(file)
    return sha256


def _calibration(
    folder: Path, folds: Sequence[SurvivalCheckpoint], checkpoint_name: str
) -> Calibration | None:
    calibration = read_model_calibrations(folder).get(checkpoint_name)
    if calibration is None:
        return None
    checkpoints = {fold.number: fold.file for fold in folds}
    if calibration.changed_folds(checkpoints) or {*calibration.folds} != {*checkpoints}:
        logger.warning(
            "The model's calibration is of other folds (%s) or of former trainings, so survival curves are "
            "uncalibrated. Run adamss_calibrate for the folds in use.",
            listed([str(fold) for fold in calibration.folds]),
        )
        return None
    return calibration
