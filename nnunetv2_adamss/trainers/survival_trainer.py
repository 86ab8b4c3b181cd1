"""The training of a survival network: steps, validation C-index, and the results at the end (Section 4.2)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import time
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nnunetv2_adamss.methods.recipe import Recipe, SurvivalRecipe
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.networks.registry import network_names
from nnunetv2_adamss.survival.discrete_time.baseline import baseline_offsets
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.survival.pooling import predict_region
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, TRAINING_PREDICTIONS_FILE
from nnunetv2_adamss.trained_folds.fold_results import EpochPrediction, selected_epoch, write_results
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trained_folds.training_log import training_seconds
from nnunetv2_adamss.trainers.anchor import start_from_anchor
from nnunetv2_adamss.trainers.checked_network import checked_network
from nnunetv2_adamss.trainers.objectives.cox import Cox
from nnunetv2_adamss.trainers.objectives.discrete_time import DiscreteTime
from nnunetv2_adamss.trainers.objectives.mtlr import MTLR
from nnunetv2_adamss.trainers.objectives.multi_task import SEGMENTATION_LOSSES, MultiTask
from nnunetv2_adamss.trainers.objectives.objective import Objective
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer
from nnunetv2_adamss.trainers.survival_log import C_INDEX, shown

# nnU-Net's own limit.
_GRADIENT_NORM = 12
# By the name that recipes have.
_OBJECTIVES: Mapping[str, type[Objective]] = MappingProxyType(
    {"discrete_time": DiscreteTime, "cox": Cox, "mtlr": MTLR}
)


def freeze_batch_norm(network: nn.Module) -> None:
    """Make batch normalisation use its present statistics and not update them."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


class SurvivalTrainer(SurvivalFoldTrainer):
    """Trainer of a survival network on a region of each case; its recipe gives the network and the objective."""

    score_name = C_INDEX

    objective: Objective

    @classmethod
    def faults_of(cls, recipe: Recipe) -> Iterator[str]:
        """Extend the check of every trainer: network and losses must exist."""
        yield from super().faults_of(recipe)
        if not isinstance(recipe, SurvivalRecipe):
            yield "a survival trainer needs a SurvivalRecipe"
            return
        losses = (None, *SEGMENTATION_LOSSES)
        for what, name, there in (
            ("survival network", recipe.network, network_names()),
            ("objective", recipe.objective, _OBJECTIVES),
            ("segmentation loss", recipe.segmentation_loss, losses),
        ):
            if name not in there:
                yield f"there is no {what} {name!r}, only {', '.join(filter(None, there))}"

    def initialize(self) -> None:
        """Extend nnU-Net's method: set up the fold's cases and intervals, the survival network and the objective.

        Raises:
            ValueError: if settings, table, split, masks, network or Stage-I checkpoint cannot be used.
        """
        super().initialize()
        survival = _OBJECTIVES[self.recipe.objective](self)
        self.objective = MultiTask(self, survival) if self.recipe.segments else survival
        self.objective.check_network()

    @classmethod
    def check_shares(cls, batch_size: int, n_gpus: int) -> None:
        """Raise ValueError if so many GPUs cannot share a batch."""
        if batch_size < n_gpus:
            raise ValueError(
                f"A batch of {batch_size} cannot be shared by {n_gpus} GPUs; use -num_gpus {batch_size} at most."
            )
        objective = MultiTask if cls.recipe.segments else _OBJECTIVES[cls.recipe.objective]
        if objective.needs_even_shares and batch_size % n_gpus:
            raise ValueError(
                f"A batch of {batch_size} cannot be shared evenly by {n_gpus} GPUs, as a loss over all of it needs "
                "it; choose another -num_gpus."
            )

    def _set_batch_size_and_oversample(self) -> None:
        self.check_shares(self.total_batch_size, self.ranks.count)
        super()._set_batch_size_and_oversample()

    # --------------------------------------------------------------------------------------- the training

    def on_train_start(self) -> None:
        """Extend nnU-Net's method: a new training with an anchor starts from it."""
        super().on_train_start()
        if self.is_new and self.survival_fold.config.anchor != "none" and start_from_anchor(self):
            self._log_score_at_start()

    def _log_score_at_start(self) -> None:
        """Log the C-index of the Cox model that training starts from."""
        if self.survival_fold.scoring_cases:
            outputs = self._outputs(self.survival_fold.scoring_cases, "Validation before the training")
            c_index = shown(self._score(outputs)[1])
            self.print_to_log_file(f"C-index before the training: {c_index}")

    def on_train_epoch_start(self) -> None:
        """Extend nnU-Net's method: seed dropout, so that a resumed training continues as if it had not been stopped."""
        super().on_train_epoch_start()
        if self.survival_fold.config.batch_norm == "frozen":
            freeze_batch_norm(self.network)
        torch.manual_seed(hash((self.survival_fold.config.seed, self.current_epoch, self.local_rank)))
        self.objective.start_epoch()

    def train_step(self, batch: Sample) -> dict[str, Any]:
        """Make one step on the loss and the penalty; return the loss alone."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            output = self.network(*self.inputs(batch))
        loss = self.objective.training_loss(output, batch)
        self._step(loss + self.objective.penalty())
        self.objective.after_step(batch)
        return {"loss": loss.detach().cpu().numpy()}

    def on_train_epoch_end(self, train_outputs: list[dict[str, Any]]) -> None:
        """Extend nnU-Net's method: call the objective's hook."""
        super().on_train_epoch_end(train_outputs)
        self.objective.end_epoch()

    def _step(self, loss: Tensor) -> None:
        scaler = self.grad_scaler
        (scaler.scale(loss) if scaler else loss).backward()
        if scaler:
            scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM)
        if scaler:
            scaler.step(self.optimizer)
            scaler.update()
        else:
            self.optimizer.step()

    def validation_step(self, batch: Sample) -> dict[str, list[float]]:
        """Predict the network's outputs for one case, by its ``case_id``."""
        # Regions differ in size where they leave the image; a compiled network would be compiled for each.
        with self.autocast():
            outputs = predict_region(
                self.bare_network,
                *self.inputs(batch),
                pool=self.survival_fold.config.pool,
                crop_size=self.crop_size,
            )
        return {batch["case_id"][0]: outputs[0].float().tolist()}

    def on_validation_epoch_end(self, val_outputs: list[dict[str, list[float]]]) -> None:
        """Log loss and C-index of the scoring cases of all GPUs."""
        outputs = self.ranks.gather(
            {case_id: values for output in val_outputs for case_id, values in output.items()}
        )
        loss, c_index = self._score(outputs) if outputs else (math.nan, math.nan)
        self.logger.log("val_losses", loss, self.current_epoch)
        self.logger.log(C_INDEX, c_index, self.current_epoch)

    def _score(self, outputs: dict[str, list[float]]) -> tuple[float, float]:
        targets = SurvivalTargets.stacked([self.load_cases().targets[case_id] for case_id in outputs])
        loss = self.objective.survival_loss(
            torch.tensor(list(outputs.values()), dtype=torch.float64), targets
        )
        times, events = self.setup.table.time_and_event(list(outputs))
        c_index = harrell_c(self._prediction(outputs).risk_score, events, times).c_index
        return float(loss), math.nan if c_index is None else c_index

    def _end_epoch(self) -> None:
        self.logger.log("epoch_end_timestamps", time(), self.current_epoch)
        values = {name: self.logger.get_value(name, step=-1) for name in self.logger.get_checkpoint()}
        self.print_to_log_file("train_loss", round(float(values["train_losses"]), 4))
        self.print_to_log_file("val_loss", round(values["val_losses"], 4))
        self.print_to_log_file("C-index", shown(values[C_INDEX]))
        seconds = values["epoch_end_timestamps"] - values["epoch_start_timestamps"]
        self.print_to_log_file(f"Epoch time: {seconds:.2f} s")
        if self.local_rank == 0:
            self.logger.plot_progress_png(self.output_folder)
        self.current_epoch += 1

    def _save_if_best(self) -> None:
        # Fold "all" has nothing to choose on.
        if self.survival_fold.scoring_cases:
            super()._save_if_best()

    def _save_last_epoch(self, name: str) -> None:
        refits = name == CHECKPOINTS["best"] and self.survival_fold.config.baseline == "refitted"
        trained = self._refit_baseline() if refits else None
        super()._save_last_epoch(name)
        if trained is not None:
            self._baseline().copy_(trained)

    def on_train_end(self) -> None:
        """Extend nnU-Net's method: the last epoch's baseline is refitted too, by the setting."""
        if self.survival_fold.config.baseline == "refitted":
            self._refit_baseline()
        super().on_train_end()

    def _refit_baseline(self) -> Tensor:
        """Fit the biases of the intervals to the training cases as the network predicts them; return the old ones.

        deviation: the paper predicts with the biases of the last step. Those of batches of two wander, and batches with
        as many events as censored cases, crops and augmentation differ from the patients that are predicted.
        """
        outputs = self._outputs(self.survival_fold.training_cases, "Training cases, for the baseline")
        time, event = self.setup.table.time_and_event(list(outputs))
        labels = interval_labels(self.survival_fold.edges, event, time)
        offsets = baseline_offsets(np.array(list(outputs.values()), dtype=np.float64), labels)
        baseline = self._baseline()
        trained = baseline.clone()
        baseline += torch.from_numpy(offsets).to(baseline)
        return trained

    def _baseline(self) -> Tensor:
        return checked_network(self.bare_network, AdaMSSSurvival).baseline

    # -------------------------------------------------------------------------------------- the results

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Predict the validation cases with the best and the last epoch, and write predictions and summary."""
        self.ranks.wait()  # for the first GPU, which writes the checkpoints
        self.objective.write_validation()
        epochs = self._predict_epochs() if self.survival_fold.validation_cases else {}
        if self.recipe.predicts_training_cases:
            self.load_epoch(selected_epoch(self.survival_fold, epochs))
            of_training = self._predict_cases(self.survival_fold.training_cases, "Training cases")
            if self.local_rank == 0:
                of_training.write(Path(self.output_folder) / TRAINING_PREDICTIONS_FILE)
        if self.local_rank == 0:
            lines = write_results(Path(self.output_folder), self.setup, epochs, self._provenance())
            for line in lines:
                self.print_to_log_file(line, also_print_to_console=True)
        self.ranks.wait()

    def _predict_epochs(self) -> dict[str, EpochPrediction]:
        """Predict the validation cases by the best and the last epoch, as far as their weights exist."""
        epochs = {}
        for name in CHECKPOINTS:
            epoch = self.load_epoch(name)
            # With checkpoints switched off, the present network is that of the last epoch.
            if epoch is not None or name == "last":
                prediction = self._predict_cases(
                    self.survival_fold.validation_cases, f"Validation, {name} epoch"
                )
                epochs[name] = EpochPrediction(self.current_epoch - 1 if epoch is None else epoch, prediction)
        return epochs

    def _predict_cases(self, case_ids: Sequence[str], what: str) -> SurvivalPrediction:
        return self._prediction(self._outputs(case_ids, what))

    def _outputs(self, case_ids: Sequence[str], what: str) -> dict[str, list[float]]:
        """Predict the network's outputs for these cases on all GPUs, by ``case_id``."""
        outputs: dict[str, list[float]] = {}
        with torch.no_grad():
            for batch in self.whole_regions(case_ids, what):
                outputs |= self.validation_step(batch)
        return self.ranks.gather(outputs)

    def _prediction(self, outputs: dict[str, list[float]]) -> SurvivalPrediction:
        values = torch.tensor(list(outputs.values()), dtype=torch.float64)
        survival_prob = self.bare_network.survival_prob(values).numpy()
        return SurvivalPrediction(list(outputs), survival_prob, self.survival_fold.edges)

    def _provenance(self) -> dict[str, Any]:
        n_parameters = sum(parameter.numel() for parameter in self.bare_network.parameters())
        return {
            "dataset": self.plans_manager.dataset_name,
            "trainer": type(self).__name__,
            "plans": self.plans_manager.plans_name,
            "configuration": self.configuration_name,
            "fold": self.fold,
            "training": {
                "seconds": training_seconds(self.logger.get_checkpoint()),
                "parameters": n_parameters,
            },
        }
