"""Remarks on unusual covariates of single patients: imputed, or outside the range of the training cases."""

from collections.abc import Sequence

import pandas as pd

from nnunetv2_adamss.common.messages import listed, quoted
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.scaling import Scaling, finite


def remarks_on(
    model: CovariateModel, tables: CovariateTables, case_ids: Sequence[str]
) -> dict[str, list[str]]:
    """List remarks on each case, sentences without a full stop; empty if nothing is unusual.

    Args:
        model: fitted on the training cases.
        tables: with a row of each case and all columns that the model uses.
        case_ids: the cases to check.
    """
    features = tables.features_of(case_ids)
    return {
        case_id: [
            *(
                remark
                for one in model.indicators
                for remark in _on_indicator(one, tables.values_for(one, [case_id]))
            ),
            *_on_features(model.features, features.loc[[case_id]]),
        ]
        for case_id in case_ids
    }


def _on_indicator(indicator: Indicator, values: pd.Series) -> list[str]:
    if indicator.unseen(values).iloc[0]:
        return [f"{indicator.name} {quoted(values.iloc[0])} was not among the training cases"]
    known = indicator.numbers(values) if indicator.holds_numbers else values
    if known.isna().iloc[0]:
        return [f"{indicator.name} is not known and was imputed"]
    if indicator.lowest is None or indicator.highest is None or indicator.levels:
        return []
    number = known.iloc[0]
    if indicator.lowest <= number <= indicator.highest:
        return []
    return [
        f"{indicator.name} {number:g} lies outside the training cases' {indicator.lowest:g} to {indicator.highest:g}"
    ]


def _on_features(features: Scaling, table: pd.DataFrame) -> list[str]:
    if not features.names:
        return []
    values = finite(table[list(features.names)]).iloc[0]
    limits = zip(features.names, features.lowest, features.highest, strict=True)
    missing = [name for name in features.names if pd.isna(values[name])]
    beyond = [name for name, low, high in limits if values[name] < low or values[name] > high]
    return [
        *([f"imputed features: {listed(missing)}"] if missing else []),
        *([f"features outside the training cases' range: {listed(beyond)}"] if beyond else []),
    ]
