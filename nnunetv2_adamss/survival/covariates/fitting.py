"""Fit everything about covariates in one place, on the training cases alone."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.clinical_encoding import fit_indicators
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.feature_selection import FeatureSelection, select_features
from nnunetv2_adamss.survival.covariates.hazard_ratios import hazard_ratios
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk
from nnunetv2_adamss.survival.covariates.scaling import Scaling, finite
from nnunetv2_adamss.survival.covariates.screening import screen_indicators

logger = logging.getLogger(__name__)

# choice: the rule of thumb of ten events a variable (Peduzzi et al. 1995), for every method that selects features.
EVENTS_PER_FEATURE = 10


@dataclass(frozen=True)
class CovariateReport:
    """Results of fitting the covariates; plain data, kept in the checkpoint for the results' files.

    Args:
        hazard_ratios: one row a column of every clinical indicator.
        selection: of features, or None where none were given or all are used.
        only_cox: the Cox model on the covariates alone, or None without covariates.
        notes: sentences about what was imputed, merged, left out or dropped.
    """

    hazard_ratios: tuple[Mapping[str, Any], ...] = ()
    selection: FeatureSelection | None = None
    only_cox: LinearRisk | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Convert the report to plain data."""
        return {
            "hazard_ratios": [_finite_or_none(row) for row in self.hazard_ratios],
            "selection": None if self.selection is None else self.selection.to_dict(),
            "only_cox": None if self.only_cox is None else self.only_cox.to_dict(),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CovariateReport":
        """Report from plain data, as ``to_dict`` gives it."""
        selection, only_cox = values["selection"], values["only_cox"]
        return cls(
            tuple(values["hazard_ratios"]),
            None if selection is None else FeatureSelection.from_dict(selection),
            None if only_cox is None else LinearRisk.from_dict(only_cox),
            tuple(values["notes"]),
        )


def _finite_or_none(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of figures, with None for those that are not finite numbers."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


class _TrainingCases(NamedTuple):
    """The training cases, with ``event`` and ``time``, ``(n_cases,)`` each."""

    case_ids: Sequence[str]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]


def fit_covariates(
    config: SurvivalConfig,
    tables: CovariateTables,
    case_ids: Sequence[str],
    event: NDArray[np.bool_],
    time: NDArray[np.float64],
) -> tuple[CovariateModel, CovariateReport]:
    """Encode and screen the clinical indicators, select features, and fit a Cox model on those that remain.

    Args:
        config: the settings.
        tables: covariates of these cases, and of others, which are not used.
        case_ids: the training cases.
        event: of these, ``(n_cases,)``, True = observed.
        time: of these, ``(n_cases,)``.

    Raises:
        ValueError: if a case has no row.
    """
    training = _TrainingCases(case_ids, event, time)
    indicators, rows, clinical_notes = _fit_clinical(config, tables, training)
    n_clinical = sum(len(one.columns) for one in indicators)
    scaling, selection, feature_notes = _fit_features(config, tables, training, n_clinical)
    model = CovariateModel(tuple(indicators), scaling)
    inputs = model.inputs(tables, case_ids)
    only_cox = LinearRisk.cox(inputs, event, time) if len(inputs.columns) else None
    notes = (*clinical_notes, *feature_notes)
    for note in notes:
        logger.warning("%s", note)
    return model, CovariateReport(tuple(rows), selection, only_cox, notes)


def _fit_clinical(
    config: SurvivalConfig,
    tables: CovariateTables,
    cases: _TrainingCases,
) -> tuple[list[Indicator], list[dict[str, Any]], list[str]]:
    """Fit and screen the indicators; return those that are kept, hazard ratios of all, and notes."""
    if tables.clinical is None:
        return [], [], []
    training = tables.clinical_of(cases.case_ids)
    groups = None if tables.groups is None else tables.groups.loc[list(cases.case_ids)]
    indicators, notes = fit_indicators(training, tables.types, groups)
    keep_all = config.clinical_selection == "none"
    screened = screen_indicators(indicators, training, cases.event, cases.time, keep_all=keep_all)
    dropped = [
        f"{one.indicator.name} (P = {one.fit.likelihood_ratio_p:.2g})" for one in screened if not one.is_kept
    ]
    if dropped:
        notes.append(f"Clinical indicators that are not related to survival are dropped: {listed(dropped)}.")
    kept = [one.indicator for one in screened if one.is_kept]
    return kept, hazard_ratios(screened, cases.event, cases.time), notes


def _fit_features(
    config: SurvivalConfig,
    tables: CovariateTables,
    cases: _TrainingCases,
    n_clinical: int,
) -> tuple[Scaling, FeatureSelection | None, list[str]]:
    """Scale and select the features; return the scaling of those that are used, the selection, and notes."""
    if tables.features is None:
        return Scaling(), None, []
    training = tables.features_of(cases.case_ids)
    scaling = Scaling.fit(training)
    notes = [*_useless(training, scaling), *_gaps(training[list(scaling.names)])]
    if config.feature_selection == "none":
        return scaling, None, notes
    if not scaling.names:
        return Scaling(), FeatureSelection(reason="no feature varies in the training cases"), notes
    n_events = int(cases.event.sum())
    limit = n_events // EVENTS_PER_FEATURE if config.max_features is None else config.max_features
    selection = select_features(
        scaling.apply(training), cases.event, cases.time, limit=limit - n_clinical, seed=config.seed
    )
    # No note if the user asked for no features.
    if selection.reason and config.max_features != 0:
        notes.append(
            f"No feature out of {selection.n_candidates} is selected ({limit} allowed for {n_events} events, "
            f"clinical columns take {n_clinical}): {selection.reason}."
        )
    return scaling.only(selection.names), selection, notes


def _useless(training: pd.DataFrame, scaling: Scaling) -> list[str]:
    left_out = sorted(set(map(str, training)) - set(scaling.names))
    if not left_out:
        return []
    return [f"Features with one value or none in the training cases are left out: {listed(left_out)}."]


def _gaps(training: pd.DataFrame) -> list[str]:
    gaps = finite(training).isna()
    cases = list(gaps.index[gaps.any(axis=1)])
    if not cases:
        return []
    return [
        f"{int(gaps.to_numpy().sum())} feature values of {len(cases)} training case(s) are missing or not finite and "
        f"get the training mean: {listed(cases)}."
    ]
