"""Which steps the methods of a benchmark need, in an order in which they can be done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.cohort import Cohort
from nnunetv2_adamss.benchmark.folders import TEST_PREDICTIONS, BenchmarkFolders, outlining_network
from nnunetv2_adamss.benchmark.methods import METHODS, STAGE_ONE, Method, Trainer
from nnunetv2_adamss.benchmark.outdated import (
    segmentation_differences,
    survival_differences,
    training_differences,
)
from nnunetv2_adamss.benchmark.settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.explanation.folder import ExplanationFolder
from nnunetv2_adamss.explanation.run import EXPLANATION_FOLDER
from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.radiomics_table import provenance_file, radiomics_name
from nnunetv2_adamss.survival.nnunet_data.dataset import RESULTS
from nnunetv2_adamss.survival.results.fold_results import PREDICTIONS_FILE, SUMMARY_FILE

# Cross-validated figures are of the last epoch, and so is all else that is said of the survival networks.
CHECKPOINT = "checkpoint_final.pth"
# Its fit is the quickest command that predicts the masks of a fold, and it is in every benchmark.
_MASKS_FIRST = next(method for method in METHODS if method.name == "tumour_volume")
# Settings of SurvivalConfig, with what a user types.
_MASK_FLAGS = {
    "seg_checkpoint": "-seg_chk", "mask_source": "--mask_source", "masks_dir": "--masks_dir",
    "mirroring": "--disable_tta",
}  # fmt: skip


def plan_steps(
    folders: BenchmarkFolders, methods: Sequence[Method], cohort: Cohort, device: str
) -> list[Step]:
    """All steps, each after those that it needs; what several methods need is there once.

    Args:
        folders: of the benchmark.
        methods: that are compared.
        cohort: whom finished folds must be of; some steps need all folds of its split.
        device: for ``-device``.
    """
    made: dict[str, Step] = {}
    for seed in folders.settings.seeds:
        planner = _Planner(folders, cohort, device, seed, made)
        for fold in folders.settings.folds:
            for method in methods:
                planner.predict_validation(method, fold)
        if folders.is_first(seed):
            planner.explain(explained_method(methods))
            if folders.settings.test:
                for method in methods:
                    planner.predict_test(method, methods)
    return list(made.values())


def explained_method(methods: Sequence[Method]) -> Method | None:
    """The one whose fusion weights are Table IV."""
    names = ("adamss", "adamss_no_radiomics", "two_stage", "data_driven")
    return next((method for name in names for method in methods if method.name == name), None)


@dataclass(frozen=True)
class _Planner:
    """Makes the steps of one seed, and before each those that it needs."""

    folders: BenchmarkFolders
    cohort: Cohort
    device: str
    seed: int
    made: dict[str, Step]

    def predict_validation(self, method: Method, fold: int) -> None:
        """Whatever a method leaves of a fold."""
        if method.fitted:
            self._is_result(self._fit(method, fold))
        elif method.trainer:
            self._is_result(self._train(method, method.trainer, fold))
        else:
            self._is_result(self._segment(method.stage_one, fold))

    def explain(self, method: Method | None) -> None:
        """Table IV."""
        if method is None or method.trainer is None:
            return
        trainer = self.folders.trainer(method.trainer)
        for fold in self._settings.folds:
            folder = ExplanationFolder(self._folder(trainer, fold) / EXPLANATION_FOLDER)
            step = self._add(
                f"fusion weights of {trainer} fold {fold}",
                "fusion weights",
                ["adamss_explain", *self._fold(fold), "-tr", trainer, "-chk", CHECKPOINT, "--max_cases", "0",
                 "--no_occlusion", *self._on_device],
                [folder.gate_weights],
                [self._train(method, method.trainer, fold)],
            )  # fmt: skip
            self._is_result(step)

    def predict_test(self, method: Method, methods: Sequence[Method]) -> None:
        """By all folds together; nothing for a method that cannot."""
        if method.fitted and not method.needs_other_folds:
            self._predict_test_statistically(method, methods)
        elif method.trainer and not method.fitted:
            self._is_result(self._predict_test_by(method))

    def _predict_test_by(self, method: Method) -> Step:
        """By a method's network."""
        assert method.trainer is not None
        raw, trainer = self.folders.test_data, self.folders.trainer(method.trainer)
        output = self.folders.test / trainer
        given = self._settings.masks.get("mask_source") == "groundtruth"
        masks = ["--masks_dir", str(raw / "labelsTr")] if given else []
        return self._add(
            f"test patients by {trainer}",
            f"test patients by {trainer}",
            ["adamss_predict_survival", *self._model(trainer), "-i", str(raw / "imagesTr"), "-o", str(output),
             "-chk", CHECKPOINT, "--clinical", str(raw / SURVIVAL_CSV), *masks, *self._on_device, "--c"],
            # The first is the last one that is written.
            [output / "prediction.json", output / TEST_PREDICTIONS],
            [self._train(method, method.trainer, fold) for fold in self._settings.folds],
        )  # fmt: skip

    def _predict_test_statistically(self, method: Method, methods: Sequence[Method]) -> None:
        name = str(self.folders.survival(method))
        raw, file = self.folders.test_data, self.folders.test / name / TEST_PREDICTIONS
        masks, outlines = self.folders.test_masks(methods), self._outlines_of_test(methods)
        if masks is None and (method.measures_tumour or method.radiomics == "predicted"):
            return
        needs = [self._fit(method, fold) for fold in self._settings.folds]
        inputs = ["--clinical", str(raw / SURVIVAL_CSV)]
        if method.radiomics:
            needs.append(self._radiomics_of_test(method.radiomics, masks, outlines))
            inputs += ["--features", str(needs[-1].evidence[0])]
        if method.trainer:
            needs.append(self._predict_test_by(method))
            inputs += [
                "--deep",
                str(self.folders.test / self.folders.trainer(method.trainer) / TEST_PREDICTIONS),
            ]
        if method.measures_tumour:
            needs += outlines
            inputs = ["-i", str(raw / "imagesTr"), "-m", str(masks)]
        step = self._add(
            f"test patients by {name}",
            f"test patients by {name}",
            ["adamss_predict_statistical", *self._model(name), *inputs, "-o", str(file)],
            [file],
            needs,
        )
        self._is_result(step)

    def _outlines_of_test(self, methods: Sequence[Method]) -> list[Step]:
        network = outlining_network(methods)
        if network is None or self._settings.masks.get("mask_source") == "groundtruth":
            return []
        return [self._predict_test_by(next(m for m in methods if m.trainer == network and not m.fitted))]

    def _radiomics_of_test(self, source: str, masks: Path | None, outlines: list[Step]) -> Step:
        raw, table = self.folders.test_data, self.folders.test / f"radiomics_{source}.csv"
        is_reference = source == "groundtruth"
        return self._add(
            f"radiomics of {source} masks of test patients",
            f"radiomics of {source} masks of test patients",
            ["adamss_extract_radiomics", "-i", str(raw / "imagesTr"),
             "-m", str(raw / "labelsTr" if is_reference else masks), "-o", str(table)],
            [table, provenance_file(table)],
            [] if is_reference else outlines,
        )  # fmt: skip

    def _model(self, trainer: str) -> list[str]:
        settings = self._settings
        return [
            "-d", settings.dataset, "-c", settings.configuration, "-p", settings.plans, "-tr", trainer,
            "-f", *map(str, settings.folds),
        ]  # fmt: skip

    # -------------------------------------------------------------------------------------- steps of a fold

    def _segment(self, trainer: Trainer, fold: int) -> Step:
        name = self.folders.trainer(trainer)
        folder = self._folder(name, fold)
        summary = folder / "validation" / "summary.json"
        return self._add(
            f"{name} fold {fold}",
            name,
            ["nnUNetv2_train", *self._fold(fold), "-tr", name, "--val_best", *self._on_device],
            [folder / CHECKPOINT, summary],
            [],
            resumes=True,
            differences=partial(segmentation_differences, summary, self.cohort, fold),
        )

    def _masks(self, trainer: Trainer, fold: int) -> list[Step]:
        """The Stage-I trainings whose masks a fold works with."""
        others = (
            range(self.cohort.n_splits) if self._settings.masks.get("mask_source") == "out_of_fold" else []
        )
        return [self._segment(trainer, number) for number in dict.fromkeys([fold, *others])]

    def _masks_and_radiomics(self, method: Method, fold: int) -> list[Step]:
        """What comes before a method: masks, and radiomics of them if it uses any."""
        if method.radiomics is None:
            return self._masks(method.stage_one, fold)
        given: Mapping[str, Any] = (
            {"mask_source": "groundtruth"} if method.radiomics == "groundtruth" else self._settings.masks
        )
        config = SurvivalConfig(**given)
        trainer = self.folders.trainer(method.stage_one)
        table = self._folder(trainer, fold) / radiomics_name(config)
        kind = f"radiomics of {config.mask_source} masks"
        return [
            self._add(
                f"{kind}, fold {fold}",
                kind,
                ["adamss_extract_radiomics", *self._fold(fold), "-seg_tr", trainer, *_mask_flags(given),
                 *self._on_device],
                [table, provenance_file(table)],
                self._masks(method.stage_one, fold),
                after=[] if method.chooses_masks else self._masks_at_once(method, fold),
            )
        ]  # fmt: skip

    def _masks_at_once(self, method: Method, fold: int) -> list[Step]:
        """The step that predicts the masks that many share, so that no two of these do at once."""
        source = self._settings.masks.get("mask_source", "predicted")
        are_shared = method.stage_one == STAGE_ONE and fold in self._settings.folds
        if not are_shared or source in ("groundtruth", "folder"):
            return []
        # The masks out of fold are the same for all folds.
        first = self._settings.folds[0] if source == "out_of_fold" else fold
        is_first = method == _MASKS_FIRST and fold == first
        return [] if is_first else [self._fit(_MASKS_FIRST, first)]

    def _train(self, method: Method, trainer: Trainer, fold: int) -> Step:
        name = self.folders.trainer(trainer)
        folder = self._folder(name, fold)
        epochs = self._settings.epochs
        return self._add(
            f"{name} fold {fold}",
            name,
            ["adamss_finetune_survival", *self._fold(fold), "-tr", name,
             *self._data(method, self._settings.masks), *([] if epochs is None else ["--epochs", str(epochs)]),
             "--seed", str(self.seed), *self._on_device],
            [folder / SUMMARY_FILE, folder / PREDICTIONS_FILE],
            self._masks_and_radiomics(method, fold),
            after=self._masks_at_once(method, fold),
            resumes=True,
            differences=partial(
                training_differences, folder, self.cohort, fold, starts_from_stage_one=method.starts_from_stage_one
            ),
        )  # fmt: skip

    def _fit(self, method: Method, fold: int) -> Step:
        name = str(self.folders.survival(method))
        folder = self._folder(name, fold)
        masks = {} if method.chooses_masks else self._settings.masks
        needs, deep = self._masks_and_radiomics(method, fold), []
        if method.trainer:
            folds = range(self.cohort.n_splits) if method.needs_other_folds else [fold]
            needs += [self._train(method, method.trainer, number) for number in folds]
            deep = ["--deep_trainer", self.folders.trainer(method.trainer)]
        return self._add(
            f"{name} fold {fold}",
            name,
            ["adamss_fit_statistical", *self._fold(fold), "--method", method.name, *deep,
             *self._data(method, masks), "--seed", str(self.seed), *self._on_device],
            [folder / SUMMARY_FILE, folder / PREDICTIONS_FILE],
            needs,
            after=[] if method.chooses_masks else self._masks_at_once(method, fold),
            differences=partial(survival_differences, folder, self.cohort, fold, self._fit_settings(method)),
        )  # fmt: skip

    # ------------------------------------------------------------------------------ what steps have in common

    @property
    def _settings(self) -> BenchmarkSettings:
        return self.folders.settings

    @property
    def _on_device(self) -> list[str]:
        return ["-device", self.device]

    def _fold(self, fold: int) -> list[str]:
        settings = self._settings
        return [settings.dataset, settings.configuration, str(fold), "-p", settings.plans]

    def _data(self, method: Method, masks: Mapping[str, Any]) -> list[str]:
        """Options that say which masks and outcomes."""
        table = self._settings.survival_csv
        return [
            "-seg_tr", self.folders.trainer(method.stage_one), *_mask_flags(masks),
            *([] if table is None else ["--survival_csv", table]),
        ]  # fmt: skip

    def _fit_settings(self, method: Method) -> dict[str, Any]:
        """What a fit must have been made with."""
        masks = {} if method.chooses_masks else self._settings.masks
        asked = SurvivalConfig(**masks, seg_trainer=self.folders.trainer(method.stage_one), seed=self.seed)
        names = ["seg_trainer", "seed", *([] if method.chooses_masks else _MASK_FLAGS)]
        return {name: getattr(asked, name) for name in names}

    def _folder(self, trainer: str, fold: int) -> Path:
        return self.folders.fold(trainer, fold, self.seed)

    def _add(
        self,
        name: str,
        kind: str,
        command: Sequence[str],
        evidence: Sequence[Path],
        made_from: Iterable[Step],
        *,
        after: Iterable[Step] = (),
        **options: Any,
    ) -> Step:
        environment = {}
        if not self.folders.is_first(self.seed):
            name = f"seed {self.seed}: {name}"
            environment = {RESULTS: str(self.folders.own_results(self.seed))}
        made_from = tuple(made_from)
        needs = tuple(step.name for step in (*made_from, *after))
        step = Step(
            name, kind, tuple(command), tuple(evidence), needs, environment, made_from=made_from, **options
        )  # fmt: skip
        return self.made.setdefault(name, step)

    def _is_result(self, step: Step) -> None:
        self.made[step.name] = replace(step, is_result=True)


def _mask_flags(settings: Mapping[str, Any]) -> list[str]:
    flags = []
    for name, value in settings.items():
        if name == "mirroring":
            flags += [] if value else [_MASK_FLAGS[name]]
        elif name != "mask_source" or value != "folder":  # which --masks_dir says already
            flags += [_MASK_FLAGS[name], str(value)]
    return flags
