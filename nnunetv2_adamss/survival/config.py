"""The settings of a Stage-II training, kept in ``survival_config.json`` and in every checkpoint."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import parse_object
from nnunetv2_adamss.common.kinds import Kind, faults_of_kind, is_positive, list_of, optional
from nnunetv2_adamss.common.mask_flags import MASK_FLAGS
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.discrete_time.intervals import check_interval_edges

MASK_SOURCES = ("predicted", "out_of_fold", "groundtruth", "folder")
INTERVAL_RULES = ("quantile", "event_quantile", "authors_days")
LOSS_REDUCTIONS = ("sum", "mean")
POOLS = ("region", "crops")
SELECTIONS = ("last", "best", "inner")
CLINICAL_SELECTIONS = ("likelihood_ratio", "none")
FEATURE_SELECTIONS = ("lasso", "none")
RADIOMICS = ("all", "first_order")
ANCHORS = ("none", "covariates", "image")
NORMALISATIONS = ("batch", "frozen")
BASELINES = ("trained", "refitted")
CONFIG_FILE = "survival_config.json"
# Paths may change between machines; the contents may not, and are compared by their hashes.
PATHS = ("survival_csv", "features_csv", "masks_dir")
# Command-line options of settings whose option has another name.
_FLAGS = {**MASK_FLAGS, "features_csv": "--features", "mirroring": f"mirroring ({MASK_FLAGS['mirroring']})"}


_KINDS: dict[str, Kind] = {
    "survival_csv": optional(str),
    "features_csv": list_of(str),
    "max_features": optional(int),
    "seg_trainer": str,
    "seg_checkpoint": str,
    "masks_dir": optional(str),
    "mirroring": bool,
    "head_rate": is_positive,
    "n_intervals": int,
    "interval_edges": optional(list_of((int, float))),
    "epochs": optional(int),
    "seed": int,
}


@dataclass(frozen=True)
class SurvivalConfig:
    """Settings of a Stage-II training; nnU-Net builds trainers from five fixed arguments, so these are kept in a file.

    Args:
        survival_csv: outcomes; default ``survival.csv`` in the raw data set's folder.
        features_csv: tables of numbers by case, of which features are selected together with the radiomics.
        radiomics: ``all`` 1,456 features (paper), or ``first_order`` statistics of CT and PET in the tumour, and its
            volume, which take a fraction of a second; for trainers that use radiomics.
        clinical_selection: ``likelihood_ratio`` keeps the clinical indicators that pass that test alone at P < 0.05
            (paper), ``none`` keeps all.
        feature_selection: ``lasso`` selects radiomics and the user's features, ``none`` keeps all.
        max_features: largest number of inputs, including the clinical columns; default one for every ten events.
        seg_trainer: the Stage-I trainer whose network is fine-tuned.
        seg_checkpoint: the checkpoint of that trainer.
        mask_source: ``predicted`` (by the fold's Stage-I network), ``out_of_fold`` (each case by the fold that
            did not train on it), ``groundtruth``, or ``folder``.
        masks_dir: the folder, for ``folder`` only.
        mirroring: whether Stage I predicts with test-time mirroring.
        anchor: a Cox model that the network adds to: ``none`` (paper), on the ``covariates``, or on them and the
            ``image`` as Stage I's network sees it. Only AdaMSS's networks can have one.
        batch_norm: statistics of the batch normalisation in Stage II: of each ``batch`` (paper), or ``frozen``, as
            Stage I left them.
        head_rate: learning rate of the survival head, as a multiple of that of encoder and decoder; 1 in the paper.
        baseline: biases of the time intervals in the checkpoints that predict: as the last step has ``trained`` them
            (paper), or ``refitted`` to the training cases. Only AdaMSS's networks can have the latter.
        n_intervals: time intervals, N in the paper, for the rules that take quantiles.
        interval_rule: ``quantile`` of all times (paper), ``event_quantile`` of the events' times, or
            ``authors_days``, the fixed edges of the authors' software, for tables in days.
        interval_edges: explicit edges in the table's time unit, instead of a rule; the first is 0.
        loss_reduction: over the intervals: ``sum``, Eq. (1), or ``mean``, as in the authors' software. The L2
            penalty stays the same, so relative to the mean it weighs N times more.
        pool: ``region`` pools over the whole region at validation (paper), ``crops`` averages logits over crops
            of the training's size.
        select: the epoch that predicts: ``last``; ``best`` on the validation fold, whose results are then optimistic;
            or ``inner``, the best on a fifth of the training cases that is set aside for that. deviation: the
            paper keeps the best, for test patients. On the patients that it is chosen on, its C-index averages 0.6 to
            0.8 even without any information.
        epochs: of 200 iterations (the trainer's number); default the trainer's.
        seed: of weights, batches, augmentation and dropout.

    Raises:
        ValueError: for a value that is not allowed, naming all that are.
    """

    survival_csv: str | None = None
    features_csv: tuple[str, ...] = ()
    radiomics: str = "all"
    clinical_selection: str = "likelihood_ratio"
    feature_selection: str = "lasso"
    max_features: int | None = None
    seg_trainer: str = "AdaMSSSegTrainer"
    seg_checkpoint: str = "checkpoint_best.pth"
    mask_source: str = "predicted"
    masks_dir: str | None = None
    mirroring: bool = True
    anchor: str = "none"
    batch_norm: str = "batch"
    head_rate: float = 1.0
    baseline: str = "trained"
    n_intervals: int = 10
    interval_rule: str = "quantile"
    interval_edges: tuple[float, ...] | None = None
    loss_reduction: str = "sum"
    pool: str = "region"
    select: str = "last"
    epochs: int | None = None
    seed: int = 2024

    def __post_init__(self) -> None:
        if faults := faults_of_kind(vars(self), _KINDS):
            raise ValueError(f"The settings of the survival training are not valid: {listed(faults)}.")
        faults = [
            f"{name} is {getattr(self, name)!r}, but must be one of {', '.join(allowed)}"
            for name, allowed in (
                ("mask_source", MASK_SOURCES),
                ("interval_rule", INTERVAL_RULES),
                ("loss_reduction", LOSS_REDUCTIONS),
                ("pool", POOLS),
                ("select", SELECTIONS),
                ("radiomics", RADIOMICS),
                ("anchor", ANCHORS),
                ("batch_norm", NORMALISATIONS),
                ("baseline", BASELINES),
                ("clinical_selection", CLINICAL_SELECTIONS),
                ("feature_selection", FEATURE_SELECTIONS),
            )
            if getattr(self, name) not in allowed
        ]
        if (self.mask_source == "folder") != (self.masks_dir is not None):
            faults.append("masks_dir and mask_source 'folder' belong together, but only one of them is given")
        for name, value in (("n_intervals", self.n_intervals), ("epochs", self.epochs)):
            if value is not None and value < 1:
                faults.append(f"{name} is {value}, but must be at least 1")
        for name, value in (("seed", self.seed), ("max_features", self.max_features)):
            if value is not None and value < 0:
                faults.append(f"{name} is {value}, but must be at least 0")
        if self.interval_edges is not None:
            try:
                check_interval_edges(np.asarray(self.interval_edges, dtype=float))
            except ValueError as error:
                faults.append(str(error).rstrip("."))
        if faults:
            raise ValueError(
                "The settings of the survival training are not valid: " + "; ".join(faults) + "."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SurvivalConfig":
        """Settings from plain data, as ``to_dict`` gives it.

        Raises:
            ValueError: for a setting that does not exist, or a value that is not allowed.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"Unknown survival settings: {', '.join(unknown)}. There are {', '.join(sorted(known))}."
            )
        plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        return cls(**plain)

    def to_dict(self) -> dict[str, Any]:
        """Convert the settings to plain data."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def of_fold(cls, fold_folder: Path, defaults: Mapping[str, Any] | None = None) -> "SurvivalConfig":
        """Read the settings in a fold's folder; missing ones, or all if there is no file, are the defaults.

        Args:
            fold_folder: nnU-Net's.
            defaults: of the trainer, where they differ from those of this class.

        Raises:
            ValueError: if the file cannot be read or holds something else.
        """
        file, given = fold_folder / CONFIG_FILE, dict(defaults or {})
        if not file.is_file():
            return cls.from_dict(given)
        return parse_object(
            file,
            lambda own: cls.from_dict(given | dict(own)),
            "It holds the settings of a survival training.",
        )

    def save(self, fold_folder: Path) -> None:
        """Write the settings into a fold's folder, completely or not at all."""
        write_json(fold_folder / CONFIG_FILE, self.to_dict())

    def differences(self, asked: Mapping[str, Any]) -> list[str]:
        """Describe the requested settings that differ from these; paths may differ."""
        own = self.to_dict()
        return [
            f"{_FLAGS.get(name, f'--{name}')} was {own[name]!r}, and now is {value!r}"
            for name, value in asked.items()
            if name not in PATHS and own[name] != value
        ]

    def with_paths(self, asked: Mapping[str, Any]) -> "SurvivalConfig":
        """The same settings, with the files at their present paths."""
        return self.from_dict(self.to_dict() | {name: asked[name] for name in PATHS if name in asked})
