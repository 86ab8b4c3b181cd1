"""Paths of all files of a benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2.utilities.file_path_utilities import convert_trainer_plans_config_to_identifier

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.explanation.explanation_folder import ExplanationFolder
from nnunetv2_adamss.methods.method import Method, Trainer
from nnunetv2_adamss.methods.table import SEGMENTATION, results_name
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, RESULTS, dataset_folder

# In the folder of each trainer or statistical method below ``test``.
TEST_PREDICTIONS, TEST_MASKS = "survival_predictions.csv", "masks"


@dataclass(frozen=True)
class BenchmarkFolders:
    """Paths of all files of a benchmark.

    Args:
        settings: of the benchmark.
        plans_name: as in the plans file; nnU-Net's folders are named after it.
        output: of the benchmark.
    """

    settings: BenchmarkSettings
    plans_name: str
    output: Path

    def is_first(self, seed: int) -> bool:
        """Return True if a seed's trainings are those in the user's ``nnUNet_results``."""
        return seed == self.settings.seeds[0]

    def own_results(self, seed: int) -> Path:
        """Return ``nnUNet_results`` of a seed that is not the first."""
        return self.output / f"seed_{seed}" / RESULTS

    def fold(self, trainer: str, fold: int, seed: int) -> Path:
        """Return the folder of a fold of a trainer or of a statistical method."""
        name = convert_trainer_plans_config_to_identifier(
            trainer, self.plans_name, self.settings.configuration
        )
        dataset = self.settings.dataset
        trained = (
            dataset_folder(RESULTS, dataset) if self.is_first(seed) else self.own_results(seed) / dataset
        )
        return trained / name / f"fold_{fold}"

    def trainer(self, trainer: Trainer) -> str:
        """Return the class name of a trainer at the schedule of the benchmark."""
        return trainer.name_of(short_schedule=self.settings.short_schedule)

    def survival(self, method: Method) -> str | None:
        """Return the trainer or statistical method that predicts survival; None for a method that only segments."""
        trainer = self.trainer(method.trainer) if method.trainer else None
        return results_name(method.name, trainer) if method.fit else trainer

    @property
    def test(self) -> Path:
        """Folder of the test patients' predictions by all folds together, with a subfolder for each method.

        Another set of folds predicts differently, so it has another folder.
        """
        return self.output / "test" / f"folds_{'_'.join(map(str, self.settings.folds))}"

    @property
    def test_data(self) -> Path:
        """Raw data set of the test patients.

        Raises:
            ValueError: if there is none.
        """
        if self.settings.test is None:
            raise ValueError("The benchmark has no test set; --test names one.")
        return dataset_folder(RAW, self.settings.test)

    def test_masks(self, methods: Sequence[Method]) -> Path | None:
        """Return the folder of the test patients' tumour masks that the networks use; None if there is no network."""
        if self.settings.uses_reference_masks:
            return self.test_data / "labelsTr"
        method = masking_method(methods)
        if method is None or method.trainer is None:
            return None
        return self.test / self.trainer(method.trainer) / TEST_MASKS

    def fusion_weights(self, trainer: str, fold: int) -> ExplanationFolder:
        """Return the folder of the last epoch's fusion weights; the fold's own may explain another epoch."""
        return ExplanationFolder(self.output / "fusion_weights" / trainer / f"fold_{fold}")


def masking_method(methods: Sequence[Method]) -> Method | None:
    """Return a method whose network uses the tumour masks of AdaMSS's Stage I, if possible AdaMSS itself.

    All networks except the fusion strategies use them.
    """
    networks = [m for m in methods if m.trainer and m.stage_one == SEGMENTATION and not m.fit]
    return next((m for m in networks if m.starts_from_stage_one), next(iter(networks), None))
