"""A trained fold of Stage I: checks of its plan, and its weights."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.common.checkpoint import WEIGHTS
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.foreign_files.model_checkpoints import read_model_checkpoint
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.tumour_region.stage_one_file import StageOneFile


class StageOneModel(StageOneFile):
    """One fold of a Stage-I training, and what its checkpoint holds."""

    @classmethod
    def of_fold(cls, nnunet_fold: NnunetFold, config: SurvivalConfig) -> "StageOneModel":
        """The Stage-I model that a survival training of this fold starts from."""
        return cls(
            config.seg_trainer,
            nnunet_fold.plans,
            nnunet_fold.configuration,
            nnunet_fold.number,
            config.seg_checkpoint,
        )

    def weights(self) -> dict[str, torch.Tensor]:
        """Read the network's tensors by name.

        Raises:
            ValueError: if there is no checkpoint, it cannot be read, belongs to another plan or is not of AdaMSS.
        """
        self.check_exists()
        checkpoint = read_model_checkpoint(self.checkpoint, written_by=f"{self.trainer}, a Stage-I trainer,")
        weights: dict[str, torch.Tensor] = checkpoint[WEIGHTS]
        self._check_plan(checkpoint["init_args"]["plans"])
        if not any(name.startswith("decoder.blocks.") for name in weights):
            raise ValueError(
                f"The Stage-I checkpoint {self.checkpoint} has no AdaMSS decoder, which Stage II starts from. Use a "
                "checkpoint of AdaMSSSegTrainer or one of its variants (-seg_tr)."
            )
        return weights

    def _check_plan(self, trained_plans: Mapping[str, Any]) -> None:
        changed = [
            name
            for name, own, trained in _plan_parts(self.plans, trained_plans, self.configuration)
            if _as_json(own) != _as_json(trained)
        ]
        if changed:
            raise ValueError(
                f"The Stage-I checkpoint {self.checkpoint} was trained with another plan than the present "
                f"{self.plans['plans_name']} of {self.plans['dataset_name']} (different: {', '.join(changed)}). "
                "Train Stage I again, or bring the old plan and its preprocessed data back."
            )


def _plan_parts(
    own: Mapping[str, Any], trained: Mapping[str, Any], configuration: str
) -> list[tuple[str, Any, Any]]:
    """Entries of the plan that network and data depend on: name, own value, the checkpoint's value."""
    if configuration not in trained["configurations"]:
        return [(f"configuration {configuration}", True, False)]
    # Resolved, since a configuration can inherit from another.
    own_values, trained_values = (
        PlansManager(dict(plans)).get_configuration(configuration).configuration for plans in (own, trained)
    )
    whole = [(key, own.get(key), trained.get(key)) for key in _WHOLE_PLAN]
    return whole + [(key, own_values.get(key), trained_values.get(key)) for key in _CONFIGURATION]


_WHOLE_PLAN = ("dataset_name", "transpose_forward", "foreground_intensity_properties_per_channel")
_CONFIGURATION = ("spacing", "normalization_schemes", "architecture")


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
