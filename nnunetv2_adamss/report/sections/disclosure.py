"""Data about the training patients that an exported model discloses."""

from collections.abc import Iterator, Sequence

from nnunetv2_adamss.display.blocks import Block, Table, Text
from nnunetv2_adamss.display.words import count, joined, time
from nnunetv2_adamss.prediction.calibration_files import CALIBRATION_FILE
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.survival.config import PATHS
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.tn_stages.stage_model import TN_STAGES_FILE

_EDGES_FROM = {
    "quantile": "quantiles of the training patients' times, and the last one is the longest follow-up",
    "event_quantile": "quantiles of the times of the events, and the last one is the longest follow-up",
}


def disclosed(model: SurvivalModel) -> Iterator[Block]:
    """Show one row for each kind of content."""
    folds = [fold.survival for fold in model.folds]
    yield Text("The zip holds no images, masks or tables of patients. It holds:")
    rows = [
        (
            "Names of cases",
            f"{count(_n_names(folds), 'case identifier')}, and whether each was used to train or to validate a fold",
        ),
        ("Times", _times(folds)),
        ("Clinical columns", _columns(model)),
        ("Features", _features(model)),
        ("Notes on columns", _notes(folds)),
        ("Hashes of files", _hashes(folds)),
        ("Paths on the machine of the training", _paths(folds)),
        (
            "Images",
            "voxel sizes and shapes of the training images, and intensities of all tumours together (plans.json and "
            "dataset_fingerprint.json)",
        ),
        *_calibration(model),
        *_tn_stages(model),
        ("dataset.json", "all that its author wrote into it"),
        (
            "Weights",
            "images cannot be read from them, but predictions may reveal whether a patient was used for training "
            "(membership inference)",
        ),
    ]
    yield Table("", ["What", "In this model"], rows, is_prose=True)


def _n_names(folds: Sequence[SurvivalFold]) -> int:
    return len({case_id for fold in folds for part in fold.split for case_id in part})


def _times(folds: Sequence[SurvivalFold]) -> str:
    """Describe the interval edges; given or fixed ones disclose nothing about patients."""
    config = folds[0].config
    if config.interval_edges is not None or config.interval_rule not in _EDGES_FROM:
        return "no time of a patient: the edges of the intervals were given"
    longest = max(fold.interval_edges[-1] for fold in folds)
    return (
        f"edges of up to {config.n_intervals} intervals in each fold: {_EDGES_FROM[config.interval_rule]} "
        f"({time(longest, folds[0].time_unit)}); in a small cohort some are times of single patients"
    )


def _columns(model: SurvivalModel) -> str:
    if not model.clinical_columns:
        return "none"
    ranged = sorted({one.name for one in model.indicators if one.lowest is not None})
    named = sorted({one.name for one in model.indicators if one.levels})
    return f"lowest and highest value of {joined(ranged)}; the categories of {joined(named)}; means and hazard ratios"


def _features(model: SurvivalModel) -> str:
    return f"mean and spread of {count(len(model.features), 'feature')}" if model.features else "none"


def _notes(folds: Sequence[SurvivalFold]) -> str:
    """Describe the sentences about the fit of the covariates, which checkpoints hold."""
    if not any(fold.covariate_report.notes for fold in folds):
        return "none"
    return (
        "names of columns that were imputed, merged or left out, also of those that the model does not use; numbers of "
        "missing values, and the cases without a value of a feature"
    )


def _hashes(folds: Sequence[SurvivalFold]) -> str:
    """Describe the hashes of files with data of patients; those of Stage I are of networks."""
    files = sorted({name for fold in folds for name in fold.sources if not name.startswith("Stage-I")})
    if not files:
        return "none"
    return f"SHA-256 of {joined(files)}; whoever has a copy can confirm that it was used for the training"


def _paths(folds: Sequence[SurvivalFold]) -> str:
    given = [name for name in PATHS if any(getattr(fold.config, name) for fold in folds)]
    return f"of {joined(given)}" if given else "none"


def _calibration(model: SurvivalModel) -> Iterator[tuple[str, str]]:
    if model.calibration is not None:
        yield (
            "Calibration",
            "numbers of cases and events, slope, intercepts, limits of logits, and the median risk "
            f"({CALIBRATION_FILE})",
        )


def _tn_stages(model: SurvivalModel) -> Iterator[tuple[str, str]]:
    if (model.folder / TN_STAGES_FILE).is_file():
        yield (
            "T and N stage",
            "lowest and highest measures of lesions and of clinical columns, and numbers of patients by stage "
            f"({TN_STAGES_FILE})",
        )
