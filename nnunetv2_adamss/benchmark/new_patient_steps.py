"""The steps that predict the patients of a test set, by all folds of a method together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.fold_steps import CHECKPOINT, FoldSteps
from nnunetv2_adamss.benchmark.folders import TEST_PREDICTIONS, BenchmarkFolders, masking_method
from nnunetv2_adamss.benchmark.step_book import StepBook
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.survival.cohort.outcomes_path import SURVIVAL_CSV
from nnunetv2_adamss.survival.covariates.radiomics_table import provenance_file


@dataclass(frozen=True)
class NewPatientSteps:
    """Plans the steps on the test set, and before each the steps that it needs.

    Args:
        of_folds: plans trainings and fits.
        methods: all that the benchmark compares.
    """

    of_folds: FoldSteps
    methods: Sequence[Method]

    def predict(self, method: Method) -> Step | None:
        """Plan the prediction of the test patients; return None for a method that cannot predict them."""
        if method.fit:
            return None if method.needs_other_folds else self._predict_statistically(method)
        return self._predict_by_network(method) if method.trainer else None

    def _predict_by_network(self, method: Method) -> Step:
        assert method.trainer is not None
        raw, trainer = self._folders.test_data, self._folders.trainer(method.trainer)
        output = self._folders.test / trainer
        masks = ["--masks", str(raw / "labelsTr")] if self._settings.uses_reference_masks else []
        return self._add(
            f"test patients by {trainer}",
            ["adamss_predict_survival", *self._model(trainer), "-i", str(raw / "imagesTr"), "-o", str(output),
             "-chk", CHECKPOINT, "--no_calibration", "--clinical", str(raw / SURVIVAL_CSV), *masks,
             *self._book.on_device, "--c"],
            # The first is the file that is written last.
            [output / "prediction.json", output / TEST_PREDICTIONS],
            [self.of_folds.train(method, method.trainer, fold) for fold in self._settings.folds],
            may_fail_in_part=True,
        )  # fmt: skip

    def _predict_statistically(self, method: Method) -> Step | None:
        name = str(self._folders.survival(method))
        raw, file = self._folders.test_data, self._folders.test / name / TEST_PREDICTIONS
        masks = self._folders.test_masks(self.methods)
        if masks is None and (method.measures_tumour or method.radiomics == "predicted"):
            return None
        made_from = [self.of_folds.fit(method, fold) for fold in self._settings.folds]
        inputs = ["--clinical", str(raw / SURVIVAL_CSV)]
        if method.radiomics:
            made_from.append(self._radiomics(method.radiomics, masks))
            inputs += ["--features", str(made_from[-1].evidence[0])]
        if method.trainer:
            made_from.append(self._predict_by_network(method))
            deep = self._folders.test / self._folders.trainer(method.trainer) / TEST_PREDICTIONS
            inputs += ["--deep", str(deep)]
        if method.measures_tumour:
            made_from += self._masks()
            inputs = ["-i", str(raw / "imagesTr"), "--masks", str(masks)]
        return self._add(
            f"test patients by {name}",
            ["adamss_predict_statistical", *self._model(name), *inputs, "-o", str(file)],
            [file],
            made_from,
        )

    def _radiomics(self, source: str, masks: Path | None) -> Step:
        raw, table = self._folders.test_data, self._folders.test / f"radiomics_{source}.csv"
        is_reference = source == "groundtruth"
        return self._add(
            f"radiomics of {source} masks of test patients",
            ["adamss_extract_radiomics", "-i", str(raw / "imagesTr"),
             "--masks", str(raw / "labelsTr" if is_reference else masks), "-o", str(table)],
            [table, provenance_file(table)],
            [] if is_reference else self._masks(),
        )  # fmt: skip

    def _masks(self) -> list[Step]:
        """Plan the step that predicts the test patients' masks; none if reference masks are used."""
        method = masking_method(self.methods)
        return (
            []
            if method is None or self._settings.uses_reference_masks
            else [self._predict_by_network(method)]
        )

    # ------------------------------------------------------------------------------ common to several steps

    @property
    def _book(self) -> StepBook:
        return self.of_folds.book

    @property
    def _folders(self) -> BenchmarkFolders:
        return self._book.folders

    @property
    def _settings(self) -> BenchmarkSettings:
        return self._book.settings

    def _add(
        self,
        name: str,
        command: Sequence[str],
        evidence: Sequence[Path],
        made_from: Sequence[Step],
        *,
        may_fail_in_part: bool = False,
    ) -> Step:
        return self._book.add(
            self.of_folds.seed, name, command, evidence, made_from, may_fail_in_part=may_fail_in_part
        )

    def _model(self, trainer: str) -> list[str]:
        settings = self._settings
        return [
            "-d", settings.dataset, "-c", settings.configuration, "-p", settings.plans, "-tr", trainer,
            "-f", *map(str, settings.folds),
        ]  # fmt: skip
