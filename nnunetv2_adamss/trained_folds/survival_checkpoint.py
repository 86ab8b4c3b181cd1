"""A checkpoint of Stage II: plans, settings, fitted covariates, and the weights of the survival network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from nnunetv2.utilities.file_path_utilities import convert_trainer_plans_config_to_identifier
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager

from nnunetv2_adamss.common.checkpoint import WEIGHTS
from nnunetv2_adamss.networks.registry import build_survival_network
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.foreign_files.model_checkpoints import read_model_checkpoint
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plan_sizes import network_sizes
from nnunetv2_adamss.trained_folds.fold_files import fold_number

_WRITTEN_BY = "a survival trainer of this package"


@dataclass(frozen=True, eq=False)
class SurvivalCheckpoint:
    """Everything that a survival training keeps for prediction and to continue.

    Args:
        file: in ``TRAINER__PLANS__CONFIGURATION/fold_F``.
        trainer: class name.
        nnunet_fold: plan, configuration and fold.
        survival: settings, cases, interval edges and covariates.
        weights: of the network, by name.
    """

    file: Path
    trainer: str
    nnunet_fold: NnunetFold
    survival: SurvivalFold
    weights: Mapping[str, torch.Tensor] = field(repr=False)

    @classmethod
    def read(cls, file: Path, *, mapped: bool = False) -> "SurvivalCheckpoint":
        """Read and check a checkpoint.

        Args:
            file: in ``TRAINER__PLANS__CONFIGURATION/fold_F``.
            mapped: leave tensors on the disk until they are used.

        Raises:
            ValueError: naming the file, if it is damaged, holds code, or is not of a survival training.
            FileNotFoundError: if it is not there.
        """
        kinds = {"init_args.survival": dict}
        checkpoint = read_model_checkpoint(file, kinds, written_by=_WRITTEN_BY, mapped=mapped)
        start = checkpoint["init_args"]
        try:
            survival = SurvivalFold.from_dict(start["survival"])
        # Values that are missing or of another kind, anywhere in it.
        except Exception as error:
            raise ValueError(
                f"{file} is not a checkpoint that {_WRITTEN_BY} wrote, or it is damaged: its settings and cases "
                f"cannot be read ({type(error).__name__}: {error})."
            ) from error
        nnunet_fold = NnunetFold(
            start["plans"], start["dataset_json"], start["configuration"], fold_number(file.parent)
        )
        return cls(file, checkpoint["trainer_name"], nnunet_fold, survival, checkpoint[WEIGHTS])

    @property
    def number(self) -> int | str:
        """Number of the fold, or ``all``."""
        return self.nnunet_fold.number

    @cached_property
    def plans_manager(self) -> PlansManager:
        """nnU-Net's manager of the plan."""
        return PlansManager(dict(self.nnunet_fold.plans))

    @property
    def configuration_manager(self) -> ConfigurationManager:
        """nnU-Net's manager of the configuration."""
        return self.plans_manager.get_configuration(self.nnunet_fold.configuration)

    @property
    def stage_one_checkpoint(self) -> Path:
        """Checkpoint of the Stage-I network that this fold started from and that finds the tumour."""
        config = self.survival.config
        name = convert_trainer_plans_config_to_identifier(
            config.seg_trainer, self.plans_manager.plans_name, self.nnunet_fold.configuration
        )
        return self.file.parents[2] / name / self.file.parent.name / config.seg_checkpoint

    def build_network(self) -> SurvivalNetwork:
        """Build the network with its trained weights, in evaluation mode, on the CPU.

        Raises:
            ValueError: if plan, settings and weights do not belong together.
        """
        try:
            sizes = network_sizes(self.survival, self.configuration_manager, self.nnunet_fold.dataset_json)
            network = build_survival_network(self.survival.network, sizes)
            network.load_state_dict(self.weights)
        # Plans that lack a value, or weights of another network.
        except (RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self.file} is damaged: its plan, settings and weights do not belong together "
                f"({type(error).__name__}: {error})."
            ) from error
        return network.eval()
