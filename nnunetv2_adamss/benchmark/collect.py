"""Make all tables of a benchmark from the results of its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

from nnunetv2_adamss.benchmark.compared_patients import ComparedPatients
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.method_results import MethodResult, cross_validated_result, result_on_test_set
from nnunetv2_adamss.benchmark.plan import explained_network
from nnunetv2_adamss.benchmark.present_cohort import outcome_hashes, splits_of
from nnunetv2_adamss.benchmark.rank_fusion_row import RankFusion
from nnunetv2_adamss.benchmark.tables import Row, compare_methods, fusion_weights, is_planned, methods_of
from nnunetv2_adamss.benchmark.tables_text import ResultTable, comparison_table, fusion_weights_table
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.display.words import joined
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.methods.table import METHODS, REFERENCES, TABLES
from nnunetv2_adamss.metrics.estimate import MIN_EVENTS
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES
from nnunetv2_adamss.survival.cohort.cohort_summary import median_follow_up
from nnunetv2_adamss.survival.cohort.outcome_files import outcome_files
from nnunetv2_adamss.survival.cohort.outcomes_path import SURVIVAL_CSV
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from nnunetv2_adamss.survival.covariates.fitting import EVENTS_PER_FEATURE
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, RAW, dataset_folder
from nnunetv2_adamss.survival.tumour_region.region import REGION_SIDE_MM
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS

_PACKAGES = ("nnunetv2-adamss", "nnunetv2", "torch", "numpy", "scipy", "pandas", "lifelines")
# Notes on all tables.
_INTERVALS = (
    f"Intervals are percentiles of {DEFAULT_RESAMPLES:,} bootstrap resamples of patients, those of the C-index wider "
    "where events are few. They and the P values "
    "reflect sampling of patients only, not variation between trainings or splits."
)
_PUBLISHED = (
    "PUBLISHED are the paper's figures for its two test sets (OPC, NPC). They are of other patients and cannot be "
    "compared with the figures beside them."
)
_C_WITHIN_FOLDS = (
    "C-index: Harrell's, of validation patients, over all comparable pairs within folds, which is the mean of the "
    f"folds weighted by their pairs; with fewer than {MIN_EVENTS} events it is not estimable. Each patient was "
    "predicted by a fold that was not trained on that patient, by default at its last epoch."
)
_C_OF_TEST_SET = (
    "C-index: Harrell's, of test patients, each predicted by all folds together at their last epoch; with fewer than "
    f"{MIN_EVENTS} events it is not estimable."
)
_UNO = (
    "Uno's C weights the same pairs for censoring, up to {time:g} {unit}, when follow-up has thinned out to a tenth; "
    "the CSV has its interval, and the pairs of each fold."
)
_P = (
    "P: two-sided, of the difference from {reference}, by paired bootstrap on the same resamples. Holm: corrected for "
    "the {n} planned comparisons of this table{missing}."
)
_NOT_THERE = ", of which these are not there yet and count as not significant: {methods}"
_NO_P = "P: none, since {reference} is not {why}, or there are too few events."
_DICE = (
    "Dice: of the tumour, all labels as one, mean over patients; the CSV also has the Dice of all patients' voxels "
    "taken together, and that of each label. Where a method has no masks of its own they are those of {masks}."
)
_REGION_DICE = (
    f"The Dice of {{titles}} is of masks within the {REGION_SIDE_MM:g} mm region that Stage I's mask has placed; "
    "everything outside is background. Stage I's Dice in the same column is of whole images."
)
_FLATTERED = (
    ", which was chosen by its Dice on patches of the same patients and is therefore slightly optimistic"
)
_FEATURES = (
    f"Features: {{titles}} may use one for every {EVENTS_PER_FEATURE} events among the training patients of a fold, "
    "clinical columns counted, image features not; they are chosen on these patients alone."
)
_ALL_FEATURES = " {titles} selects none beforehand, by design: its estimators draw from all."
_TIME = (
    "Training: mean over the folds, on whatever machines they ran; for AdaMSS in two stages of both, for the others "
    "without the Stage I whose masks give all methods their regions. Parameters: of the survival network and, as the "
    "largest number of any fold, of the fitted coefficients; nnU-Net does not record those of Stage I."
)
_WEIGHTS = (
    "Mean weight of the fusion branch in each gate, over the regions of the validation patients, {folds}, by {trainer} "
    "and its Stage I. The paper has OPC 0.494, 0.471, 0.445, 0.384, 0.300, then 0.525, 0.487, 0.429, 0.308, 0.398; "
    "NPC 0.490, 0.463, 0.427, 0.362, 0.274, then 0.513, 0.475, 0.410, 0.294, 0.351."
)
GENERAL_NOTES = (_INTERVALS, _TIME, _PUBLISHED)


@dataclass(frozen=True, eq=False)
class Collection:
    """The results of a benchmark.

    Args:
        folders: of the benchmark.
        methods: to compare.
        fusion: of some of them, as a further row; None for none.
    """

    folders: BenchmarkFolders
    methods: Sequence[Method]
    fusion: RankFusion | None = None

    def tables(self, progress: Progress = silent) -> list[ResultTable]:
        """Make all tables for which there are results.

        Args:
            progress: shows how far it is.

        Raises:
            ValueError: if the outcomes cannot be used.
        """
        results = [
            cross_validated_result(method, self.folders, self.patients)
            for method in progress(self.methods, "Methods")
        ]
        tables = _comparisons(
            self._with_fusion(results, self.patients), self.patients, _C_WITHIN_FOLDS, self._stage_one_masks
        )
        tables += self._fusion_weights()
        if self.test_patients is not None:
            masks = self.folders.test_masks(self.methods)
            of_test = [
                result_on_test_set(result, self.folders, self.test_patients, masks) for result in results
            ]
            of_all = f"Stage I, by {self.folders.settings.seg_checkpoint} of all folds together"
            of_test = self._with_fusion(of_test, self.test_patients)
            tables += _comparisons(of_test, self.test_patients, _C_OF_TEST_SET, of_all, test=True)
        return tables

    def _with_fusion(self, results: list[MethodResult], patients: ComparedPatients) -> list[MethodResult]:
        return results if self.fusion is None else [*results, self.fusion.result(results, patients)]

    def provenance(self) -> dict[str, Any]:
        """Provenance of the tables, as plain data."""
        settings = self.folders.settings
        patients = {"validation": self.patients}
        if self.test_patients is not None:
            patients["test"] = self.test_patients
        return {
            "versions": {name: version(name) for name in _PACKAGES},
            "settings": settings.to_dict(),
            "methods": [method.name for method in self.methods],
            "rank_fusion": [method.name for method in self.fusion.methods] if self.fusion else [],
            "plans_name": self.folders.plans_name,
            "splits_sha256": sha256_of(dataset_folder(PREPROCESSED, settings.dataset) / SPLITS_FILE),
            "outcomes_sha256": self._outcomes_sha256(),
            "bootstrap": {"resamples": DEFAULT_RESAMPLES, "seed": 0},
            "patients": {name: _facts(part) for name, part in patients.items()},
        }

    @cached_property
    def patients(self) -> ComparedPatients:
        """Validation patients of the folds."""
        settings = self.folders.settings
        return ComparedPatients.of_folds(
            read_survival_table(settings.outcomes),
            splits_of(settings.dataset),
            settings.folds,
            dataset_folder(PREPROCESSED, settings.dataset),
        )

    @cached_property
    def test_patients(self) -> ComparedPatients | None:
        """Patients of the test set; None if there is none."""
        if self.folders.settings.test is None:
            return None
        raw = dataset_folder(RAW, self.folders.settings.test)
        return ComparedPatients.of_test_set(read_survival_table(raw / SURVIVAL_CSV), raw)

    def _outcomes_sha256(self) -> dict[str, str]:
        """Hashes of the survival tables and their descriptions, by readable name."""
        found = _outcomes_sha256(self.patients)
        if self.test_patients is not None:
            of_test = _outcomes_sha256(self.test_patients)
            found |= {f"{name} of test patients": sha256 for name, sha256 in of_test.items()}
        return found

    @property
    def _stage_one_masks(self) -> str:
        """Describe in words where the Stage-I masks of the validation patients come from."""
        settings = self.folders.settings
        if not settings.predicts_masks:
            return f"nnU-Net's validation of Stage I, by default of its best epoch{_FLATTERED}"
        is_best = settings.seg_checkpoint == CHECKPOINTS["best"]
        return f"Stage I, by {settings.seg_checkpoint}{_FLATTERED if is_best else ''}"

    def _fusion_weights(self) -> list[ResultTable]:
        explained, folds = explained_network(self.methods), self.folders.settings.folds
        if explained is None:
            return []
        trainer = self.folders.trainer(explained[1])
        files = {fold: self.folders.fusion_weights(trainer, fold).gate_weights for fold in folds}
        if not all(file.is_file() for file in files.values()):
            return []
        of_folds = (
            f"over the folds ({len(files)}), with the standard deviation between them"
            if len(files) > 1
            else f"of fold {folds[0]} alone"
        )
        notes = [_WEIGHTS.format(folds=of_folds, trainer=trainer)]
        return [fusion_weights_table("Table IV: fusion weights", fusion_weights(files), notes)]


def _outcomes_sha256(patients: ComparedPatients) -> dict[str, str]:
    files = outcome_files(patients.survival.path)
    return outcome_hashes({name: sha256_of(file) for name, file in files.items()})


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
        rows = compare_methods(of_table, patients, REFERENCES[number])
        notes = [
            c_index,
            uno,
            _p_note(rows, REFERENCES[number]),
            _DICE.format(masks=masks),
            *_region_note(rows),
            *_features_note(rows),
        ]
        tables.append(
            comparison_table(
                f"table_{number}{'_test' if test else ''}",
                f"{title}{', test patients' if test else ''}",
                rows,
                _title_of(REFERENCES[number]),
                notes,
            )
        )
    return tables


def _p_note(rows: Sequence[Row], reference: str) -> str:
    planned = [row for row in rows if is_planned(row, reference)]
    missing = [row.result.method.title for row in planned if row.p_value is None]
    if len(missing) == len(planned):
        is_there = any(row.result.method.name == reference for row in rows)
        return _NO_P.format(
            reference=_title_of(reference), why="finished" if is_there else "among the methods"
        )
    return _P.format(
        reference=_title_of(reference),
        n=len(planned),
        missing=_NOT_THERE.format(methods=", ".join(missing)) if missing else "",
    )


def _region_note(rows: Sequence[Row]) -> list[str]:
    titles = [row.result.method.title for row in rows if row.result.method.has_own_masks and row.dice]
    return [_REGION_DICE.format(titles=joined(titles))] if titles else []


def _features_note(rows: Sequence[Row]) -> list[str]:
    methods = [row.result.method for row in rows]
    selecting = [method.title for method in methods if method.selects_features]
    drawing = [method.title for method in methods if method.fit and method.fit.all_features]
    rule = _FEATURES.format(titles=joined(selecting)) if selecting else ""
    return [rule + (_ALL_FEATURES.format(titles=joined(drawing)) if drawing else "")] if rule else []


def _title_of(name: str) -> str:
    return next(method.title for method in METHODS if method.name == name)


def _facts(patients: ComparedPatients) -> Mapping[str, Any]:
    """Describe the patients as TRIPOD+AI asks for."""
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
