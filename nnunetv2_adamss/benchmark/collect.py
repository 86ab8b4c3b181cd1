"""Make all tables of a benchmark from what its steps have left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnunetv2_adamss.assessment.progress import Progress, silent
from nnunetv2_adamss.benchmark.cohort import read_splits
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.methods import REFERENCES, TABLES, Method
from nnunetv2_adamss.benchmark.patients import ComparedPatients
from nnunetv2_adamss.benchmark.plan import explained_method
from nnunetv2_adamss.benchmark.results import MethodResult, cross_validated_result, test_result
from nnunetv2_adamss.benchmark.tables import compare_methods, fusion_weights, methods_of
from nnunetv2_adamss.benchmark.text import ResultTable, comparison_table, fusion_weights_table
from nnunetv2_adamss.evaluation.pairs import MIN_PAIRS
from nnunetv2_adamss.evaluation.resampling import DEFAULT_RESAMPLES
from nnunetv2_adamss.explanation.folder import ExplanationFolder
from nnunetv2_adamss.explanation.run import EXPLANATION_FOLDER
from nnunetv2_adamss.survival.cohort.cohort_summary import median_follow_up
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE
from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.files import sha256_of
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, RAW, dataset_folder
from nnunetv2_adamss.survival.results.fold_results import CHECKPOINTS

_PACKAGES = ("nnunetv2-adamss", "nnunetv2", "torch", "numpy", "scipy", "pandas", "lifelines")
# What is true of all tables.
_INTERVALS = (
    f"Intervals are percentiles of {DEFAULT_RESAMPLES:,} bootstrap resamples of patients. They do not hold what "
    "another training, another seed or another split would have given."
)
_PUBLISHED = (
    "PUBLISHED are the paper's figures of its two test sets (OPC, NPC). They are of other patients, and not to be "
    "compared with the figures beside them."
)
_C_WITHIN_FOLDS = (
    "C-index: Harrell's, of validation patients, over all comparable pairs within folds, which is the mean of the "
    f"folds weighted by their pairs; under {MIN_PAIRS} pairs it is not estimable. Each patient was predicted by a "
    "fold that was not trained on that patient, by default at its last epoch."
)
_C_OF_TEST_SET = (
    "C-index: Harrell's, of test patients, each predicted by all folds together at their last epoch; under "
    f"{MIN_PAIRS} comparable pairs it is not estimable."
)
_UNO = (
    "Uno's C weighs the same pairs for censoring, up to {time:g} {unit}, where follow-up thins out to a tenth; the CSV "
    "has its interval, and the C-index of each fold."
)
_P = (
    "P: two-sided, of the difference to {reference} by paired bootstrap on the same resamples; Holm: corrected for "
    "the {n} comparisons of this table."
)
_DICE = (
    "Dice: of the tumour, all labels as one, mean over patients. Where a method has no masks of its own they are "
    "those of {masks}."
)
_FLATTERED = ", which was chosen by Dice on patches of the same patients: a little flattered"
_TIME = (
    "Training: mean of the folds, on whatever machines they ran; of AdaMSS in two stages both, of the others without "
    "the Stage I whose masks give all methods their regions. Parameters: of the survival network and, as the most of "
    "any fold, of the fitted coefficients; nnU-Net does not write those of Stage I."
)
_WEIGHTS = (
    "Mean weight of the fusion branch in each gate, over the validation patients' regions, over the folds ({n}), with "
    "the standard deviation between them, by {trainer} and its Stage I. The paper has OPC 0.494, 0.471, 0.445, "
    "0.384, 0.300, then 0.525, 0.487, 0.429, 0.308, 0.398; NPC 0.490, 0.463, 0.427, 0.362, 0.274, then 0.513, 0.475, "
    "0.410, 0.294, 0.351."
)
GENERAL_NOTES = (_INTERVALS, _TIME, _PUBLISHED)


@dataclass(frozen=True, eq=False)
class Collection:
    """What a benchmark has found.

    Args:
        folders: of the benchmark.
        methods: that are compared.
    """

    folders: BenchmarkFolders
    methods: Sequence[Method]

    def tables(self, progress: Progress = silent) -> list[ResultTable]:
        """All that can be made.

        Args:
            progress: shows how far it is.

        Raises:
            ValueError: if the outcomes cannot be used.
        """
        results = [
            cross_validated_result(method, self.folders, self.patients)
            for method in progress(self.methods, "Methods")
        ]
        tables = _comparisons(results, self.patients, _C_WITHIN_FOLDS, self._stage_one_masks)
        tables += self._fusion_weights()
        if self.test_patients is not None:
            masks = self.folders.test_masks(self.methods)
            of_test = [test_result(result, self.folders, self.test_patients, masks) for result in results]
            of_all = f"Stage I, by {self._stage_one_checkpoint} of all folds together"
            tables += _comparisons(of_test, self.test_patients, _C_OF_TEST_SET, of_all, test=True)
        return tables

    def provenance(self) -> dict[str, Any]:
        """What the tables are of and from, as plain data."""
        settings = self.folders.settings
        patients = {"validation": self.patients}
        if self.test_patients is not None:
            patients["test"] = self.test_patients
        return {
            "versions": {name: version(name) for name in _PACKAGES},
            "settings": settings.to_dict(),
            "methods": [method.name for method in self.methods],
            "splits_sha256": sha256_of(self._splits_file),
            "survival_csv_sha256": sha256_of(self.patients.survival.path),
            "bootstrap": {"resamples": DEFAULT_RESAMPLES, "seed": 0},
            "patients": {name: _facts(part) for name, part in patients.items()},
        }

    @cached_property
    def patients(self) -> ComparedPatients:
        """Validation patients of the folds."""
        settings = self.folders.settings
        return ComparedPatients.of_folds(
            read_survival_table(settings.outcomes),
            read_splits(settings.dataset),
            settings.folds,
            dataset_folder(PREPROCESSED, settings.dataset),
        )

    @cached_property
    def test_patients(self) -> ComparedPatients | None:
        """Of the test set, if there is one."""
        if self.folders.settings.test is None:
            return None
        raw = dataset_folder(RAW, self.folders.settings.test)
        return ComparedPatients.of_test_set(read_survival_table(raw / SURVIVAL_CSV), raw)

    @property
    def _stage_one_checkpoint(self) -> str:
        given = self.folders.settings.masks.get("seg_checkpoint")
        return SurvivalConfig.seg_checkpoint if given is None else str(given)

    @property
    def _stage_one_masks(self) -> str:
        """Whose they are, of the validation patients."""
        if self.folders.settings.masks.get("mask_source") in ("groundtruth", "folder"):
            return f"nnU-Net's validation of Stage I, by default of its best epoch{_FLATTERED}"
        checkpoint = self._stage_one_checkpoint
        return f"Stage I, by {checkpoint}{_FLATTERED if checkpoint == CHECKPOINTS['best'] else ''}"

    @property
    def _splits_file(self) -> Path:
        return dataset_folder(PREPROCESSED, self.folders.settings.dataset) / SPLITS_FILE

    def _fusion_weights(self) -> list[ResultTable]:
        method, settings = explained_method(self.methods), self.folders.settings
        if method is None or method.trainer is None:
            return []
        trainer = self.folders.trainer(method.trainer)
        explained = {
            fold: ExplanationFolder(self.folders.fold(trainer, fold, settings.seeds[0]) / EXPLANATION_FOLDER)
            for fold in settings.folds
        }
        if not all(folder.gate_weights.is_file() for folder in explained.values()):
            return []
        weights = fusion_weights({fold: folder.gate_weights for fold, folder in explained.items()})
        notes = [_WEIGHTS.format(n=len(explained), trainer=trainer)]
        return [fusion_weights_table("Table IV: fusion weights", weights, notes)]


def _comparisons(
    results: Sequence[MethodResult],
    patients: ComparedPatients,
    c_index: str,
    masks: str,
    *,
    test: bool = False,
) -> list[ResultTable]:
    uno = _UNO.format(
        time=patients.cohort(patients.case_ids).follow_up_limit, unit=patients.survival.description.time_unit
    )
    tables = []
    for number, title in TABLES.items():
        of_table = methods_of(number, results)
        if not of_table:
            continue
        reference = next((r for r in of_table if r.method.name == REFERENCES[number]), None)
        rows = compare_methods(of_table, patients, REFERENCES[number])
        name = "its reference" if reference is None else reference.method.title
        n_compared = sum(row.p_value is not None for row in rows)
        p = _P.format(reference=name, n=n_compared)
        if n_compared == 0:
            p = f"P: none, since {REFERENCES[number]} is not there or not finished, or there are too few pairs."
        tables.append(
            comparison_table(
                f"table_{number}{'_test' if test else ''}",
                f"{title}{', test patients' if test else ''}",
                rows,
                name,
                [c_index, uno, p, _DICE.format(masks=masks)],
            )
        )
    return tables


def _facts(patients: ComparedPatients) -> Mapping[str, Any]:
    """What TRIPOD+AI asks for of the patients."""
    time, event, survival = patients.time, patients.event, patients.survival
    missing = survival.clinical.loc[patients.case_ids].isna().sum()
    return {
        "n_patients": len(time),
        "n_events": int(event.sum()),
        "censored_fraction": float(1 - event.mean()),
        "median_follow_up": median_follow_up(time, event),
        "time_unit": survival.description.time_unit,
        "endpoint": survival.description.endpoint,
        "missing_values": {str(name): int(count) for name, count in missing.items()},
    }
