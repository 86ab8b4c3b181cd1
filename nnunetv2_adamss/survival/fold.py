"""A fold of a survival training: its cases, and what was fitted on the training cases alone."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedShuffleSplit

from nnunetv2_adamss.survival.cohort.table import SurvivalTable
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates import CovariateScaling, read_covariates
from nnunetv2_adamss.survival.discrete_time.intervals import (
    check_interval_edges,
    interval_edges,
    intervals_without_event,
)
from nnunetv2_adamss.survival.messages import listed

logger = logging.getLogger(__name__)

# Which part of the training cases --select inner sets aside to choose the epoch on.
_INNER_FRACTION = 0.2


@dataclass(frozen=True)
class SurvivalFold:
    """What a survival network was trained with; plain data, kept in every checkpoint beside its weights.

    Args:
        config: the settings.
        training_cases: with an outcome, for the weights, interval edges and covariate scaling.
        scoring_cases: with an outcome, predicted after every epoch; ``checkpoint_best`` is chosen on them. The
            validation fold, or with ``select: inner`` the part of the training cases that was set aside, or none.
        validation_cases: with an outcome, predicted at the end; none for fold ``all``.
        interval_edges: ``n_intervals + 1``, ascending from 0, in the table's time unit.
        covariates: how covariates become inputs.
        time_unit: of the table.
        endpoint: of the table, such as "recurrence-free survival".
    """

    config: SurvivalConfig
    training_cases: tuple[str, ...]
    scoring_cases: tuple[str, ...]
    validation_cases: tuple[str, ...]
    interval_edges: tuple[float, ...]
    covariates: CovariateScaling
    time_unit: str
    endpoint: str | None

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
        training_cases: Sequence[str],
        validation_cases: Sequence[str],
    ) -> "SurvivalFold":
        """Choose the cases and fit what is fitted.

        Args:
            config: the settings.
            table: outcomes.
            training_cases: of nnU-Net's split.
            validation_cases: of nnU-Net's split; the training cases themselves for fold ``all``.

        Raises:
            ValueError: if a case has no row, training or validation has no event, or the edges do not ascend.
        """
        _check_all_in_table(table, [*training_cases, *validation_cases])
        is_fold_all = set(training_cases) == set(validation_cases)
        training = _with_outcome(table, training_cases, "training")
        validation = [] if is_fold_all else _with_outcome(table, validation_cases, "validation")
        scoring = validation
        if config.select == "inner":
            training, scoring = _set_aside(table, training, config.seed)
        time, event = table.time_and_event(training)
        covariates = CovariateScaling()
        if config.covariates_csv is not None:
            covariates = CovariateScaling.fit(read_covariates(Path(config.covariates_csv)), training)
        return cls(
            config,
            tuple(training),
            tuple(scoring),
            tuple(validation),
            tuple(_edges(config, event, time)),
            covariates,
            table.description.time_unit,
            table.description.endpoint,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "config": self.config.to_dict(),
            "training_cases": list(self.training_cases),
            "scoring_cases": list(self.scoring_cases),
            "validation_cases": list(self.validation_cases),
            "interval_edges": list(self.interval_edges),
            "covariates": self.covariates.to_dict(),
            "time_unit": self.time_unit,
            "endpoint": self.endpoint,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SurvivalFold":
        """From plain data."""
        lists = ("training_cases", "scoring_cases", "validation_cases", "interval_edges")
        return cls(
            config=SurvivalConfig.from_dict(values["config"]),
            covariates=CovariateScaling.from_dict(values["covariates"]),
            time_unit=values["time_unit"],
            endpoint=values["endpoint"],
            **{name: tuple(values[name]) for name in lists},
        )

    def check_same_cases(self, training_cases: Sequence[str], validation_cases: Sequence[str]) -> None:
        """Raise ValueError if nnU-Net's split is no longer the one that this fold was trained on."""
        split = {*training_cases, *validation_cases}
        moved = sorted({*self.training_cases, *self.validation_cases, *self.scoring_cases} - split)
        moved += sorted({*self.training_cases} & ({*validation_cases} - {*training_cases}))
        moved += sorted({*self.validation_cases} & {*training_cases})
        if moved:
            raise ValueError(
                f"splits_final.json has changed since this training was started: {listed(moved)} are now on another "
                "side or gone. Bring the old splits back, or train anew with --overwrite."
            )


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
            f"cannot be {'learned' if part == 'training' else 'judged'}. Make stratified splits with "
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
    kept, aside = next(splitter.split(training, event))
    inner = sorted(training[i] for i in aside)
    if not table.outcomes.loc[inner, "event"].any():
        raise ValueError(
            f"--select inner sets {len(inner)} of {len(training)} training cases aside, too few to hold an event. "
            "Use --select last."
        )
    return sorted(training[i] for i in kept), inner


def _edges(config: SurvivalConfig, event: NDArray[np.bool_], time: NDArray[np.float64]) -> list[float]:
    if config.interval_edges is not None:
        edges = np.asarray(config.interval_edges, dtype=float)
        check_interval_edges(edges)
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
