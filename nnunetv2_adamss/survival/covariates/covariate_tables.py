"""Tables of the covariates: clinical columns and features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.description import CATEGORY, ColumnType
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.number_table import join_number_tables


@dataclass(frozen=True, eq=False)
class CovariateTables:
    """Covariates as they were measured, one row a case.

    Args:
        clinical: indexed by ``case_id``; numbers or text, NaN where missing; None where they are not used.
        types: of the clinical columns.
        groups: the centre of each case, if known; not a covariate.
        features: numbers indexed by ``case_id``, radiomics and the user's own; None where there are none.
        has_radiomics: whether radiomics are among the features.
        texts: clinical columns as text, including numbers, if available.
    """

    clinical: pd.DataFrame | None = field(default=None, repr=False)
    types: Mapping[str, ColumnType] = field(default_factory=dict, repr=False)
    groups: pd.Series | None = field(default=None, repr=False)
    features: pd.DataFrame | None = field(default=None, repr=False)
    has_radiomics: bool = False
    texts: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    @classmethod
    def gather(
        cls,
        table: SurvivalTable,
        radiomics: pd.DataFrame | None,
        user_tables: Mapping[str, pd.DataFrame],
        use: CovariateUse,
    ) -> "CovariateTables":
        """Gather the covariates that a trainer uses from the available tables.

        Args:
            table: the survival table; its further columns are clinical.
            radiomics: indexed by ``case_id``, or None where there are none.
            user_tables: of the user's own features, by a name for messages.
            use: the covariates that the trainer uses.

        Raises:
            ValueError: if a feature has a name twice, or that of a clinical column, or if features are given to a
                trainer that uses images alone.
        """
        if user_tables and not any(use):
            raise ValueError(
                f"This trainer looks at the image alone, but features are given: {listed(list(user_tables))}. Leave "
                "them out, or leave out --no_radiomics or --no_clinical."
            )
        tables = dict(user_tables)
        if use.radiomics and radiomics is not None:
            tables = {"radiomics": radiomics, **tables}
        centre = table.description.group_column
        clinical = table.clinical.drop(columns=[centre] if centre else []) if use.clinical else None
        features = join_number_tables(tables)
        if clinical is not None and features is not None:
            twice = sorted(set(map(str, clinical)) & set(map(str, features)))
            if twice:
                raise ValueError(
                    f"Features must be named otherwise than the columns of {table.path.name}: {listed(twice)}. Rename "
                    "or remove them."
                )
        return cls(
            clinical=clinical,
            types=table.column_types,
            groups=table.groups(centre) if centre and use.clinical else None,
            features=features,
            has_radiomics="radiomics" in tables,
            texts=table.texts,
        )

    def check(self, case_ids: Sequence[str]) -> None:
        """Raise ValueError if a case has no row, naming such cases."""
        self.clinical_of(case_ids)
        self.features_of(case_ids)

    def features_of(self, case_ids: Sequence[str]) -> pd.DataFrame:
        """Rows of the feature table for these cases.

        Raises:
            ValueError: naming the cases that have none.
        """
        return _rows(self.features, case_ids, "features")

    def clinical_of(self, case_ids: Sequence[str]) -> pd.DataFrame:
        """Rows of the clinical columns for these cases.

        Raises:
            ValueError: naming the cases that have none.
        """
        return _rows(self.clinical, case_ids, "clinical indicators")

    def values_for(self, indicator: Indicator, case_ids: Sequence[str]) -> pd.Series:
        """Values of a clinical column as a model learnt it.

        Version 0.1 read a column of numbers as categories if one of its cells was "unknown"; its models need the text.

        Raises:
            ValueError: naming the cases that have none.
        """
        values = self.clinical_of(case_ids)[indicator.name]
        as_text = indicator.kind == CATEGORY and pd.api.types.is_numeric_dtype(values)
        return (
            self.texts.loc[values.index, indicator.name]
            if as_text and indicator.name in self.texts
            else values
        )


def _rows(table: pd.DataFrame | None, case_ids: Sequence[str], what: str) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame(index=list(case_ids))
    missing = [case_id for case_id in case_ids if case_id not in table.index]
    if missing:
        raise ValueError(
            f"{len(missing)} case(s) have no {what}: {listed(missing)}. Each case needs a row in every table."
        )
    return table.loc[list(case_ids)]
