"""The steps of a fold: Stage I, radiomics, survival networks, statistical fits, fusion weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.outdated import (
    segmentation_differences,
    survival_differences,
    training_differences,
    validation_summary,
)
from nnunetv2_adamss.benchmark.present_cohort import PresentCohort
from nnunetv2_adamss.benchmark.step_book import StepBook, mask_options
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.common.mask_flags import MASK_FLAGS
from nnunetv2_adamss.methods.method import Method, Trainer
from nnunetv2_adamss.methods.table import METHODS, SEGMENTATION
from nnunetv2_adamss.survival.config import PATHS, SurvivalConfig
from nnunetv2_adamss.survival.covariates.radiomics_table import provenance_file, radiomics_name
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, PREDICTIONS_FILE, SUMMARY_FILE

# Cross-validated figures are of the last epoch, and so are all other results of the survival networks.
CHECKPOINT = CHECKPOINTS["last"]
# Its fit is the fastest command that predicts the masks of a fold, and every benchmark has it.
_MASKS_FIRST = next(method for method in METHODS if method.name == "tumour_volume")


@dataclass(frozen=True)
class FoldSteps:
    """Plans the steps of one seed, and before each the steps that it needs.

    Args:
        book: to which the steps are added.
        cohort: the patients of trainings and fits; some steps need all folds of its split.
        seed: of the trainings.
    """

    book: StepBook
    cohort: PresentCohort
    seed: int

    def predict_validation(self, method: Method, fold: int) -> Step:
        """Plan the predictions of a method for the validation cases of a fold."""
        if method.fit:
            return self.fit(method, fold)
        if method.trainer:
            return self.train(method, method.trainer, fold)
        return self._segment(method.stage_one, fold)

    def explain(self, method: Method, trainer: Trainer, fold: int) -> Step:
        """Plan the fusion weights of a method's network."""
        name = self.book.folders.trainer(trainer)
        folder = self.book.folders.fusion_weights(name, fold)
        return self.book.add(
            self.seed,
            f"fusion weights of {name} fold {fold}",
            ["adamss_explain", *self._fold(fold), "-tr", name, "-chk", CHECKPOINT, "--max_cases", "0",
             "--no_occlusion", "-o", str(folder.path), "--overwrite", *self.book.on_device],
            [folder.gate_weights],
            [self.train(method, trainer, fold)],
        )  # fmt: skip

    def train(self, method: Method, trainer: Trainer, fold: int) -> Step:
        """Plan the training of a method's survival network."""
        name = self.book.folders.trainer(trainer)
        folder, epochs = self._folder(name, fold), self._settings.epochs
        given = {name: value for name, value in self._settings.masks.items() if name not in PATHS}
        given |= {"seg_trainer": self.book.folders.trainer(method.stage_one), "seed": self.seed}
        return self.book.add(
            self.seed,
            f"{name} fold {fold}",
            ["adamss_finetune_survival", *self._fold(fold), "-tr", name,
             *self._data(method, self._settings.masks), *([] if epochs is None else ["--epochs", str(epochs)]),
             "--seed", str(self.seed), *self.book.on_device],
            [folder / SUMMARY_FILE, folder / PREDICTIONS_FILE],
            self._masks_and_radiomics(method, fold),
            after=self._after_masks(method, fold),
            resumes=True,
            differences=partial(
                training_differences,
                folder,
                self.cohort,
                fold,
                given | ({} if epochs is None else {"epochs": epochs}),
                starts_from_stage_one=method.starts_from_stage_one,
            ),
        )  # fmt: skip

    def fit(self, method: Method, fold: int) -> Step:
        """Plan the fit of a statistical method."""
        name = str(self.book.folders.survival(method))
        folder = self._folder(name, fold)
        masks = {} if method.chooses_masks else self._settings.masks
        made_from, deep = self._masks_and_radiomics(method, fold), []
        if method.trainer:
            folds = range(self.cohort.n_splits) if method.needs_other_folds else [fold]
            made_from += [self.train(method, method.trainer, number) for number in folds]
            deep = ["--deep_trainer", self.book.folders.trainer(method.trainer)]
        return self.book.add(
            self.seed,
            f"{name} fold {fold}",
            ["adamss_fit_statistical", *self._fold(fold), "-tr", method.statistical_fit.folder, *deep,
             *self._data(method, masks), "--seed", str(self.seed), *self.book.on_device],
            [folder / SUMMARY_FILE, folder / PREDICTIONS_FILE],
            made_from,
            after=() if method.chooses_masks else self._after_masks(method, fold),
            differences=partial(survival_differences, folder, self.cohort, fold, self._fit_settings(method)),
        )  # fmt: skip

    def _segment(self, trainer: Trainer, fold: int) -> Step:
        name = self.book.folders.trainer(trainer)
        folder = self._folder(name, fold)
        return self.book.add(
            self.seed,
            f"{name} fold {fold}",
            ["nnUNetv2_train", *self._fold(fold), "-tr", name, "--val_best", *self.book.on_device],
            [folder / CHECKPOINT, validation_summary(folder)],
            [],
            resumes=True,
            differences=partial(segmentation_differences, folder, self.cohort, fold),
        )

    def _masks(self, trainer: Trainer, fold: int) -> list[Step]:
        """Plan the Stage-I trainings whose masks a fold uses."""
        others = range(self.cohort.n_splits) if self._settings.mask_source == "out_of_fold" else []
        return [self._segment(trainer, number) for number in dict.fromkeys([fold, *others])]

    def _masks_and_radiomics(self, method: Method, fold: int) -> list[Step]:
        """Plan the steps before a method: masks, and their radiomics if it uses any."""
        if method.radiomics is None:
            return self._masks(method.stage_one, fold)
        given: Mapping[str, Any] = (
            {"mask_source": "groundtruth"} if method.radiomics == "groundtruth" else self._settings.masks
        )
        config = SurvivalConfig(**given)
        trainer = self.book.folders.trainer(method.stage_one)
        table = self._folder(trainer, fold) / radiomics_name(config)
        return [
            self.book.add(
                self.seed,
                f"radiomics of {config.mask_source} masks, fold {fold}",
                ["adamss_extract_radiomics", *self._fold(fold), "-seg_tr", trainer, *mask_options(given),
                 *self.book.on_device],
                [table, provenance_file(table)],
                self._masks(method.stage_one, fold),
                after=() if method.chooses_masks else self._after_masks(method, fold),
            )
        ]  # fmt: skip

    def _after_masks(self, method: Method, fold: int) -> tuple[str, ...]:
        """Name the step that predicts the shared masks, so that no two steps predict them at the same time."""
        are_shared = method.stage_one == SEGMENTATION and fold in self._settings.folds
        if not are_shared or not self._settings.predicts_masks:
            return ()
        # The masks out of fold are the same for all folds.
        first = self._settings.folds[0] if self._settings.mask_source == "out_of_fold" else fold
        is_first = method == _MASKS_FIRST and fold == first
        return () if is_first else (self.fit(_MASKS_FIRST, first).name,)

    # ------------------------------------------------------------------------------ common to several steps

    @property
    def _settings(self) -> BenchmarkSettings:
        return self.book.settings

    def _fold(self, fold: int) -> list[str]:
        settings = self._settings
        return [settings.dataset, settings.configuration, str(fold), "-p", settings.plans]

    def _data(self, method: Method, masks: Mapping[str, Any]) -> list[str]:
        """Return the command's options for masks and outcomes."""
        table = self._settings.survival_csv
        return [
            "-seg_tr", self.book.folders.trainer(method.stage_one), *mask_options(masks),
            *([] if table is None else ["--survival_csv", table]),
        ]  # fmt: skip

    def _fit_settings(self, method: Method) -> dict[str, Any]:
        """Return the settings that a present fit must have."""
        asked = self._settings.config(self.book.folders.trainer(method.stage_one), self.seed)
        names = ["seed", *(["seg_trainer"] if method.chooses_masks else MASK_FLAGS)]
        return {name: getattr(asked, name) for name in names}

    def _folder(self, trainer: str, fold: int) -> Path:
        return self.book.folders.fold(trainer, fold, self.seed)
