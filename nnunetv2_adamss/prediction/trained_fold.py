"""A trained fold of Stage II, as its checkpoint tells it: plans, settings, what was fitted, weights."""

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
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plan_sizes import network_sizes
from nnunetv2_adamss.survival.results.survival_checkpoint import read_survival_checkpoint


@dataclass(frozen=True, eq=False)
class TrainedFold:
    """One fold of a survival model, ready to predict.

    Args:
        checkpoint: its file, in ``TRAINER__PLANS__CONFIGURATION/fold_F``.
        trainer: class name.
        nnunet_fold: plan, configuration and fold.
        survival: settings, cases, interval edges and covariates.
        weights: of the network, by name.
    """

    checkpoint: Path
    trainer: str
    nnunet_fold: NnunetFold
    survival: SurvivalFold
    weights: Mapping[str, torch.Tensor] = field(repr=False)

    @classmethod
    def load(cls, model_folder: Path, fold: int | str, checkpoint_name: str) -> "TrainedFold":
        """Read a checkpoint.

        Args:
            model_folder: nnU-Net's, of all folds of a survival training.
            fold: number or ``all``.
            checkpoint_name: such as ``checkpoint_best.pth``.

        Raises:
            ValueError: if it does not exist, is damaged, or is not of a survival training.
        """
        file = model_folder.resolve() / f"fold_{fold}" / checkpoint_name
        if not file.is_file():
            raise ValueError(_not_there(file))
        checkpoint, survival = read_survival_checkpoint(file)
        start = checkpoint["init_args"]
        return cls(
            file,
            checkpoint["trainer_name"],
            NnunetFold(start["plans"], start["dataset_json"], start["configuration"], fold),
            survival,
            checkpoint[WEIGHTS],
        )

    @cached_property
    def plans_manager(self) -> PlansManager:
        """nnU-Net's plan."""
        return PlansManager(dict(self.nnunet_fold.plans))

    @property
    def configuration_manager(self) -> ConfigurationManager:
        """nnU-Net's configuration."""
        return self.plans_manager.get_configuration(self.nnunet_fold.configuration)

    @property
    def stage_one_checkpoint(self) -> Path:
        """The Stage-I network that this fold started from, which also finds the tumour."""
        config, number = self.survival.config, self.nnunet_fold.number
        name = convert_trainer_plans_config_to_identifier(
            config.seg_trainer, self.plans_manager.plans_name, self.nnunet_fold.configuration
        )
        return self.checkpoint.parents[2] / name / f"fold_{number}" / config.seg_checkpoint

    def build_network(self) -> SurvivalNetwork:
        """The network with its trained weights, in evaluation mode, on the CPU.

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
                f"{self.checkpoint} is damaged: its plan, settings and weights do not belong together "
                f"({type(error).__name__}: {error})."
            ) from error
        return network.eval()


def _not_there(file: Path) -> str:
    others = sorted(path.name for path in file.parent.glob("checkpoint_*.pth"))
    there = f" There is {' and '.join(others)}: choose with -chk." if others else ""
    folds = sorted(path.name.removeprefix("fold_") for path in file.parents[1].glob("fold_*"))
    trained = f" Trained folds: {', '.join(folds)}." if folds and not others else ""
    return f"There is no trained survival network {file}.{there}{trained} Train it with adamss_finetune_survival."
