"""Where everything of a benchmark lies."""

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
    """Where everything of a benchmark lies.

    Args:
        settings: of the benchmark.
        plans_name: as it is written in the plans file, which nnU-Net's folders are named after.
        output: of the benchmark.
    """

    settings: BenchmarkSettings
    plans_name: str
    output: Path

    def is_first(self, seed: int) -> bool:
        """Whether a seed's trainings are those in the user's ``nnUNet_results``."""
        return seed == self.settings.seeds[0]

    def own_results(self, seed: int) -> Path:
        """``nnUNet_results`` of a seed that is not the first."""
        return self.output / f"seed_{seed}" / RESULTS

    def fold(self, trainer: str, fold: int, seed: int) -> Path:
        """The folder of a fold of a trainer or of a statistical method."""
        name = convert_trainer_plans_config_to_identifier(
            trainer, self.plans_name, self.settings.configuration
        )
        dataset = self.settings.dataset
        trained = (
            dataset_folder(RESULTS, dataset) if self.is_first(seed) else self.own_results(seed) / dataset
        )
        return trained / name / f"fold_{fold}"

    def trainer(self, trainer: Trainer) -> str:
        """Class name at the schedule of the benchmark."""
        return trainer.name_of(short_schedule=self.settings.short_schedule)

    def survival(self, method: Method) -> str | None:
        """The trainer or statistical method that predicts survival; None for a method that only segments."""
        trainer = self.trainer(method.trainer) if method.trainer else None
        return results_name(method.name, trainer) if method.fit else trainer

    @property
    def test(self) -> Path:
        """Predictions of the test patients by the folds together, by trainer and statistical method.

        More folds predict otherwise, so they have a folder of their own.
        """
        return self.output / "test" / f"folds_{'_'.join(map(str, self.settings.folds))}"

    @property
    def test_data(self) -> Path:
        """The raw data set of the test patients.

        Raises:
            ValueError: if there is none.
        """
        if self.settings.test is None:
            raise ValueError("The benchmark has no test set; --test names one.")
        return dataset_folder(RAW, self.settings.test)

    def test_masks(self, methods: Sequence[Method]) -> Path | None:
        """Masks of the test patients' tumours as the networks use them; None if there is no network."""
        if self.settings.uses_reference_masks:
            return self.test_data / "labelsTr"
        method = masking_method(methods)
        if method is None or method.trainer is None:
            return None
        return self.test / self.trainer(method.trainer) / TEST_MASKS

    def fusion_weights(self, trainer: str, fold: int) -> ExplanationFolder:
        """Of the last epoch; apart from the explanations in the fold's folder, which may be of any."""
        return ExplanationFolder(self.output / "fusion_weights" / trainer / f"fold_{fold}")


def masking_method(methods: Sequence[Method]) -> Method | None:
    """One whose network looks at the tumours as AdaMSS's Stage I finds them, if possible AdaMSS itself.

    All networks but the fusion strategies do.
    """
    networks = [m for m in methods if m.trainer and m.stage_one == SEGMENTATION and not m.fit]
    return next((m for m in networks if m.starts_from_stage_one), next(iter(networks), None))
