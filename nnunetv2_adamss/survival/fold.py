"""A fold of a survival training: its cases, and all that is fitted on its training cases."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedShuffleSplit

from nnunetv2_adamss.common.kinds import Kind, check_kinds, is_number, list_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.networks.registry import ADAMSS
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.config import CONFIG_FILE, SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.fitting import CovariateReport, fit_covariates
from nnunetv2_adamss.survival.discrete_time.intervals import (
    authors_edges,
    check_interval_edges,
    interval_edges,
    intervals_without_event,
)
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit

logger = logging.getLogger(__name__)

# Share of the training cases that --select inner sets aside to choose the epoch on.
_INNER_FRACTION = 0.2
_LISTS: dict[str, Kind] = {
    "training_cases": list_of(str),
    "scoring_cases": list_of(str),
    "validation_cases": list_of(str),
    "interval_edges": list_of(is_number),
}
_KINDS: dict[str, Kind] = {**_LISTS, "time_unit": str, "network": str}


@dataclass(frozen=True)
class SurvivalFold:
    """Cases, settings and fits of a survival training; plain data, kept in every checkpoint beside its weights.

    Args:
        config: the settings.
        training_cases: with an outcome, to fit the weights, interval edges and covariates.
        scoring_cases: with an outcome, predicted after every epoch; ``checkpoint_best`` is chosen on them. The
            validation fold, or with ``select: inner`` the part of the training cases that was set aside, or none.
        validation_cases: with an outcome, predicted at the end; none for fold ``all``.
        interval_edges: ``n_intervals + 1``, ascending from 0, in the table's time unit.
        covariates: the transform of covariates into inputs.
        covariate_report: results of fitting them.
        time_unit: of the table.
        endpoint: of the table, such as "recurrence-free survival".
        split: nnU-Net's split, including cases without an outcome.
        sources: hashes of the files that this training depends on, by name.
        radiomics: ``request``, of the extraction, and ``features``, the inputs that are from it, so that the same is
            extracted from new patients; None if no features are known to be extracted by this package.
        network: name of the survival network.
    """

    config: SurvivalConfig
    training_cases: tuple[str, ...]
    scoring_cases: tuple[str, ...]
    validation_cases: tuple[str, ...]
    interval_edges: tuple[float, ...]
    covariates: CovariateModel
    covariate_report: CovariateReport
    time_unit: str
    endpoint: str | None
    split: FoldSplit
    sources: Mapping[str, str] = field(default_factory=dict)
    radiomics: Mapping[str, Any] | None = None
    network: str = ADAMSS

    @property
    def edges(self) -> NDArray[np.float64]:
        """The interval edges as an array."""
        return np.asarray(self.interval_edges)

    @property
    def all_cases(self) -> list[str]:
        """All cases of the fold, each once."""
        return sorted({*self.training_cases, *self.scoring_cases, *self.validation_cases})

    @property
    def n_intervals(self) -> int:
        """Time intervals, N in the paper."""
        return len(self.interval_edges) - 1

    @classmethod
    def prepare(
        cls,
        config: SurvivalConfig,
        table: SurvivalTable,
        split: FoldSplit,
        tables: CovariateTables | None = None,
    ) -> "SurvivalFold":
        """Choose the cases, and fit interval edges and covariates to the training cases.

        Args:
            config: the settings.
            table: outcomes.
            split: nnU-Net's.
            tables: covariates; default none.

        Raises:
            ValueError: if a case has no row, training or validation has no event, or covariates cannot be used.
        """
        tables = tables or CovariateTables()
        fold = cls.before_fitting(config, table, split, tables)
        time, event = table.time_and_event(fold.training_cases)
        covariates, report = fit_covariates(config, tables, fold.training_cases, event, time)
        return replace(fold, covariates=covariates, covariate_report=report)

    @classmethod
    def before_fitting(
        cls, config: SurvivalConfig, table: SurvivalTable, split: FoldSplit, tables: CovariateTables
    ) -> "SurvivalFold":
        """Choose the cases and the intervals, and check that every case has covariates, but do not fit these.

        Raises:
            ValueError: as from :meth:`prepare`.
        """
        _check_all_in_table(table, [*split.training, *split.validation])
        training = _with_outcome(table, split.training, "training")
        validation = [] if _is_fold_all(split) else _with_outcome(table, split.validation, "validation")
        if config.select == "best" and not validation:
            raise ValueError("Fold 'all' has no validation cases to choose an epoch on; use --select last.")
        scoring = validation
        if config.select == "inner":
            training, scoring = _set_aside(table, training, config.seed)
        # All together, also the cases that nothing is fitted on, which would otherwise fail hours later.
        tables.check(sorted({*training, *scoring, *validation}))
        time, event = table.time_and_event(training)
        return cls(
            config=config,
            training_cases=tuple(training),
            scoring_cases=tuple(scoring),
            validation_cases=tuple(validation),
            interval_edges=tuple(_edges(config, table.description.time_unit, event, time)),
            covariates=CovariateModel(),
            covariate_report=CovariateReport(),
            time_unit=table.description.time_unit,
            endpoint=table.description.endpoint,
            split=split,
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert the fold to plain data."""
        return {
            "config": self.config.to_dict(),
            "training_cases": list(self.training_cases),
            "scoring_cases": list(self.scoring_cases),
            "validation_cases": list(self.validation_cases),
            "interval_edges": list(self.interval_edges),
            "covariates": self.covariates.to_dict(),
            "covariate_report": self.covariate_report.to_dict(),
            "time_unit": self.time_unit,
            "endpoint": self.endpoint,
            "split": {name: list(cases) for name, cases in self.split._asdict().items()},
            "sources": dict(self.sources),
            "radiomics": None if self.radiomics is None else dict(self.radiomics),
            "network": self.network,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SurvivalFold":
        """Fold from plain data, as ``to_dict`` gives it.

        Raises:
            ValueError: if it is not that of a fold, or holds a number that is not finite.
        """
        check_kinds(values, _KINDS)
        check_interval_edges(np.asarray(values["interval_edges"]))
        return cls(
            config=SurvivalConfig.from_dict(values["config"]),
            covariates=CovariateModel.from_dict(values["covariates"]),
            covariate_report=CovariateReport.from_dict(values["covariate_report"]),
            time_unit=values["time_unit"],
            endpoint=values["endpoint"],
            split=FoldSplit(**values["split"]),
            sources=values["sources"],
            radiomics=values["radiomics"],
            network=values["network"],
            **{name: tuple(values[name]) for name in _LISTS},
        )

    def with_paths_of(self, fold_folder: Path) -> "SurvivalFold":
        """The same fold, with the present paths of files from the settings in the fold's folder."""
        if not (fold_folder / CONFIG_FILE).is_file():
            return self
        return replace(self, config=self.config.with_paths(SurvivalConfig.of_fold(fold_folder).to_dict()))

    def check_unchanged(self, split: FoldSplit, sources: Mapping[str, str]) -> None:
        """Raise ValueError if split or files are no longer those that this fold was trained with.

        Args:
            split: nnU-Net's, as it is now.
            sources: hashes, as they are now; of those files that are still needed.
        """
        moved = sorted(
            {
                case_id
                for before, now in zip(self.split, split, strict=True)
                for case_id in set(before) ^ set(now)
            }
        )
        if moved:
            raise ValueError(
                f"{SPLITS_FILE} has changed since this training was started: {listed(moved)} are now on another "
                "side, new or gone. Bring the old splits back, or train again with --overwrite."
            )
        changed = [name for name, sha256 in sources.items() if self.sources.get(name) != sha256]
        if changed:
            raise ValueError(
                f"What this training was started with has changed since: {listed(changed)}. Bring the old files back, "
                "or train again with --overwrite."
            )


def _is_fold_all(split: FoldSplit) -> bool:
    return set(split.training) == set(split.validation)


def _check_all_in_table(table: SurvivalTable, case_ids: Sequence[str]) -> None:
    known = set(table.case_ids)
    missing = sorted({case_id for case_id in case_ids if case_id not in known})
    if missing:
        raise ValueError(
            f"{len(missing)} case(s) of the split have no row in {table.path}: {listed(missing)}. Add a row for each; "
            "time and event may be empty where the outcome is unknown."
        )


def _with_outcome(table: SurvivalTable, case_ids: Sequence[str], part: str) -> list[str]:
    unknown = set(table.without_outcome)
    left_out = [case_id for case_id in case_ids if case_id in unknown]
    if left_out:
        logger.warning(
            "%d %s case(s) have no outcome and serve Stage I only: %s.", len(left_out), part, listed(left_out)
        )
    kept = sorted(case_id for case_id in case_ids if case_id not in unknown)
    n_events = int(table.outcomes.loc[kept, "event"].sum())
    if n_events == 0:
        raise ValueError(
            f"The {part} part of this fold has no event among its {len(kept)} cases with an outcome, so survival "
            f"cannot be {'learned' if part == 'training' else 'evaluated'}. Make stratified splits with "
            "adamss_make_splits, or choose another fold."
        )
    return kept


def _set_aside(table: SurvivalTable, training: list[str], seed: int) -> tuple[list[str], list[str]]:
    _, event = table.time_and_event(training)
    if min(event.sum(), (~event).sum()) < 2:
        raise ValueError(
            f"--select inner sets a fifth of the training cases aside, with events and censored ones on both sides, "
            f"but of the {len(training)} training cases {int(event.sum())} have an event. Use --select last."
        )
    splitter = StratifiedShuffleSplit(1, test_size=_INNER_FRACTION, random_state=seed)
    try:
        kept, aside = next(splitter.split(training, event))
    except ValueError as error:  # scikit-learn raises it if a fifth is too few
        raise ValueError(
            f"--select inner sets a fifth of the training cases aside, but {len(training)} are too few for that. Use "
            "--select last."
        ) from error
    inner = sorted(training[i] for i in aside)
    if not table.outcomes.loc[inner, "event"].any():
        raise ValueError(
            f"--select inner sets {len(inner)} of {len(training)} training cases aside, too few to hold an event. "
            "Use --select last."
        )
    return sorted(training[i] for i in kept), inner


def _edges(
    config: SurvivalConfig, time_unit: str, event: NDArray[np.bool_], time: NDArray[np.float64]
) -> list[float]:
    if config.interval_edges is not None:
        edges = np.asarray(config.interval_edges, dtype=float)
    elif config.interval_rule == "authors_days":
        edges = authors_edges(time_unit)
    else:
        rule = config.interval_rule
        edges = interval_edges(
            event, time, config.n_intervals, "quantile" if rule == "quantile" else "event_quantile"
        )
    empty = intervals_without_event(edges, event, time)
    if empty:
        logger.warning(
            "No training event lies in %d of %d time intervals: %s.",
            len(empty),
            len(edges) - 1,
            listed([f"{edges[i]:g} to {edges[i + 1]:g}" for i in empty]),
        )
    return [float(edge) for edge in edges]
