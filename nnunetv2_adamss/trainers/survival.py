"""The training of a survival network: steps, validation C-index, and the results at the end (Section 4.2)."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from time import time
from typing import Any

import torch
from torch import Tensor

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.networks.survival_network import MultiTaskOutput, survival_outputs
from nnunetv2_adamss.survival.pooling import predict_region
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, TRAINING_PREDICTIONS_FILE
from nnunetv2_adamss.trained_folds.fold_results import EpochPrediction, selected_epoch, write_results
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trained_folds.training_log import training_seconds
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer
from nnunetv2_adamss.trainers.survival_log import C_INDEX, shown

# nnU-Net's own limit.
_GRADIENT_NORM = 12


class SurvivalTrainer(SurvivalFoldTrainer):
    """Trains a survival network on a region of each case; subclasses say which network, and its loss."""

    score_name = C_INDEX
    # Whether the training cases are predicted at the end too.
    predicts_training_cases = False

    # --------------------------------------------------------------------------------------- the training

    def on_train_epoch_start(self) -> None:
        """As nnU-Net, with dropout seeded, so that a resumed training goes on as if it had not been stopped."""
        super().on_train_epoch_start()
        torch.manual_seed(hash((self.survival_fold.config.seed, self.current_epoch, self.local_rank)))

    def train_step(self, batch: Sample) -> dict[str, Any]:
        """One step of the loss and the penalty; returns the loss alone."""
        self.optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            output = self.network(*self._inputs(batch))
        loss = self.training_loss(output, batch)
        self._step(loss + self.penalty())
        return {"loss": loss.detach().cpu().numpy()}

    def training_loss(self, output: Tensor | MultiTaskOutput, batch: Sample) -> Tensor:
        """Loss of the network's output for a batch, a scalar."""
        return self.batch_loss(survival_outputs(output), batch["targets"].to(self.device))

    def batch_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """The survival loss of this GPU's share of a batch; the mean over the GPUs is minimised."""
        return self.survival_loss(outputs, targets)

    @abstractmethod
    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Loss of outputs ``(b, n_outputs)``, a scalar; also of all scoring cases at once, in float64 on the CPU."""

    def penalty(self) -> Tensor | float:
        """What is added to the loss for the weights, a scalar."""
        return 0.0

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
        """The network's outputs for one case, by its ``case_id``."""
        # Regions differ in size where they leave the image; a compiled network would be compiled for each.
        with self._autocast():
            outputs = predict_region(
                self._bare_network,
                *self._inputs(batch),
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
        targets = SurvivalTargets.stacked([self._load_cases().targets[case_id] for case_id in outputs])
        loss = self.survival_loss(torch.tensor(list(outputs.values()), dtype=torch.float64), targets)
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

    # -------------------------------------------------------------------------------------- the results

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """Predict the validation cases with the best and the last epoch, and write predictions and summary."""
        self.ranks.wait()  # for the first GPU, which writes the checkpoints
        epochs = self._predict_epochs() if self.survival_fold.validation_cases else {}
        if self.predicts_training_cases:
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
        """The validation cases as the best and the last epoch predict them, as far as there are their weights."""
        epochs = {}
        for name in CHECKPOINTS:
            epoch = self.load_epoch(name)
            # With checkpoints switched off, the network as it is stands for the last epoch.
            if epoch is not None or name == "last":
                prediction = self._predict_cases(
                    self.survival_fold.validation_cases, f"Validation, {name} epoch"
                )
                epochs[name] = EpochPrediction(self.current_epoch - 1 if epoch is None else epoch, prediction)
        return epochs

    def _predict_cases(self, case_ids: Sequence[str], what: str) -> SurvivalPrediction:
        outputs: dict[str, list[float]] = {}
        with torch.no_grad():
            for batch in self._whole_regions(case_ids, what):
                outputs |= self.validation_step(batch)
        return self._prediction(self.ranks.gather(outputs))

    def _prediction(self, outputs: dict[str, list[float]]) -> SurvivalPrediction:
        values = torch.tensor(list(outputs.values()), dtype=torch.float64)
        survival_prob = self._bare_network.survival_prob(values).numpy()
        return SurvivalPrediction(list(outputs), survival_prob, self.survival_fold.edges)

    def _provenance(self) -> dict[str, Any]:
        n_parameters = sum(parameter.numel() for parameter in self._bare_network.parameters())
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
