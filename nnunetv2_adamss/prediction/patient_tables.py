"""Tables of new patients beside their images: clinical columns and the user's own features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.files import given_path
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    repeated_column_faults,
    unclear_faults,
)
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.common.tables.number_cells import NumberCells
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.number_table import join_number_tables, read_number_table


@dataclass(frozen=True, eq=False)
class PatientTables:
    """Tables of the user, with the columns that the model uses.

    Args:
        clinical: text by ``case_id``, NaN where missing; only columns that the model uses.
        features: numbers by ``case_id``; only columns that the model uses.
        to_extract: radiomics features that the model uses and no table has.
    """

    clinical: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    features: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    to_extract: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, model: SurvivalModel, clinical_csv: Path | None, features_csv: Sequence[Path] = ()
    ) -> "PatientTables":
        """Read the tables that the model needs.

        Args:
            model: that predicts.
            clinical_csv: ``case_id`` and clinical columns; others, such as outcomes, are ignored.
            features_csv: ``case_id`` and numbers.

        Raises:
            ValueError: if a file cannot be read, or the model uses a column that is in none.
        """
        clinical = read_clinical(clinical_csv, model.indicators)
        features = join_number_tables({str(file): read_number_table(file) for file in features_csv})
        given = [] if features is None else [name for name in model.features if name in features]
        to_extract = tuple(name for name in model.features if name not in given)
        unknown = [name for name in to_extract if name not in model.radiomics]
        if unknown:
            raise ValueError(
                f"The model uses features that are no radiomics it can extract: {listed(unknown)}. Give them with "
                "--features FILE.csv (in Python, the argument features); where a value is not known, leave its cell "
                "empty."
            )
        return cls(clinical, pd.DataFrame() if features is None else features[given], to_extract)

    @classmethod
    def given(
        cls,
        model: SurvivalModel,
        clinical: str | Path | pd.DataFrame | None,
        features: str | Path | pd.DataFrame | None,
    ) -> "PatientTables":
        """Read tables that are files or data frames; a data frame is read like its CSV file.

        Args:
            model: that predicts.
            clinical: with ``case_id`` as column, index or level of the index, as in :meth:`read`.
            features: the same.

        Raises:
            ValueError: as in :meth:`read`, or if a table is neither, or its index and a column of one name differ.
        """
        with TemporaryDirectory() as folder:
            clinical_csv = _csv_file("clinical", clinical, Path(folder))
            features_csv = _csv_file("features", features, Path(folder))
            try:
                return cls.read(model, clinical_csv, [features_csv] if features_csv else [])
            except FileFaultsError as error:
                if not error.path.is_relative_to(folder):
                    raise
                raise FileFaultsError(Path(error.path.name), error.faults) from error

    def faults_of(self, case_id: str, model: SurvivalModel) -> list[str]:
        """Return the missing inputs of a patient, in words without a full stop."""
        faults = []
        if model.clinical_columns and case_id not in self.clinical.index:
            faults.append("this case has no row in the clinical data")
        if len(self.features.columns) and case_id not in self.features.index:
            faults.append("this case has no row in the features")
        return faults

    def of_case(self, case_id: str, radiomics: Mapping[str, float]) -> CovariateTables:
        """Return the covariates of one patient.

        Args:
            case_id: with a row in each table that the model needs.
            radiomics: extracted features by name; one without a value may be absent.
        """
        extracted = {name: radiomics.get(name, np.nan) for name in self.to_extract}
        features = pd.DataFrame(extracted | self._given(case_id), index=[case_id], dtype=float)
        clinical = self.clinical.loc[[case_id]] if case_id in self.clinical.index else None
        return CovariateTables(clinical=clinical, features=features)

    def clinical_values(self, case_id: str) -> dict[str, str | None]:
        """Return the clinical values of a patient that the model uses, as given; None if unknown."""
        if case_id not in self.clinical.index:
            return {}
        return {str(k): None if pd.isna(v) else str(v) for k, v in self.clinical.loc[case_id].items()}

    def feature_values(self, case_id: str) -> dict[str, float | None]:
        """Return the user's own features of a patient that the model uses; None if unknown."""
        return {name: value if np.isfinite(value) else None for name, value in self._given(case_id).items()}

    def _given(self, case_id: str) -> dict[str, float]:
        if case_id not in self.features.index:
            return {}
        values = self.features.loc[[case_id]].to_numpy(dtype=float)[0]
        return dict(zip(map(str, self.features), values.tolist(), strict=True))


def _csv_file(name: str, table: str | Path | pd.DataFrame | None, new_folder: Path) -> Path | None:
    """Return the file itself, or a new one with the content of a data frame."""
    if table is None:
        return None
    if not isinstance(table, pd.DataFrame):
        return given_path(name, table, "a CSV file or a data frame")
    new_file = new_folder / name
    new_file.write_text(csv_text(_with_case_ids(name, table), index=False), encoding="utf-8")
    return new_file


def _with_case_ids(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the index as columns if ``case_id`` is in the index; what is in both is kept once."""
    if CASE_ID not in table.index.names:
        return table
    levels = [level for level in table.index.names if level is not None]
    twice = [level for level in levels if level in table]
    for level in twice:
        as_level = table.index.get_level_values(table.index.names.index(level))
        columns = table.loc[:, table.columns == level]
        if any(list(map(str, column)) != list(map(str, as_level)) for _, column in columns.items()):
            raise ValueError(
                f"'{name}' has {level} as index and as column, and they differ; drop one of them."
            )
    new = [level for level in levels if level not in twice]
    return table.reset_index(new) if new else table


def read_clinical(file: Path | None, indicators: Sequence[Indicator]) -> pd.DataFrame:
    """Read clinical columns as text by ``case_id``, NaN where missing; empty if a model uses none.

    Text in a column of numbers is kept, so that only that patient fails.

    Args:
        file: CSV with ``case_id`` and the columns of the indicators; others are ignored.
        indicators: of the model; the first of a name decides how its column is read.

    Raises:
        ValueError: if there are indicators but no file.
        FileFaultsError: if the file cannot be read, lacks a column, or has numbers that may be thousands.
    """
    by_name = {one.name: one for one in reversed(indicators)}
    columns = list(dict.fromkeys(one.name for one in indicators))
    if not columns:
        return pd.DataFrame()
    if file is None:
        raise ValueError(
            f"The model uses clinical indicators ({listed(columns)}), so it needs --clinical FILE.csv with case_id "
            "and these columns (in Python, the argument clinical). Where a value is not known, leave its cell empty."
        )
    cells = read_cells(file)
    missing = [name for name in (CASE_ID, *columns) if name not in cells]
    if missing:
        raise FileFaultsError(
            file,
            [
                f"there is no column {listed([repr(name) for name in missing])}, which the model uses; where a value "
                "is not known, add the column and leave its cells empty"
            ],
        )
    used = cells[[CASE_ID, *columns]]
    faults = repeated_column_faults(used.columns) or [
        *case_id_faults(used[CASE_ID]),
        *(fault for name, one in by_name.items() for fault in _unclear_faults(used[name], one)),
    ]
    if faults:
        raise FileFaultsError(file, faults)
    table = used.set_index(CASE_ID)
    return table.apply(lambda column: by_name[str(column.name)].values_of(column))


def _unclear_faults(cells: pd.Series, indicator: Indicator) -> list[str]:
    if not indicator.holds_numbers:
        return []
    return unclear_faults(NumberCells.of(cells, indicator.missing_values))
