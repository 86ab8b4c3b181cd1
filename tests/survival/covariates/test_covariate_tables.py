"""Which covariates a trainer gets: clinical columns without the centre, radiomics, the user's own."""

from pathlib import Path

import pandas as pd
import pytest

from nnunetv2_adamss.survival.cohort.description import CATEGORY
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables, CovariateUse
from nnunetv2_adamss.survival.covariates.indicator import Indicator

RADIOMICS = pd.DataFrame({"energy": [1.0, 2.0]}, index=["a", "b"])
GENES = {"genes.csv": pd.DataFrame({"tp53": [3.0, 4.0]}, index=["a", "b"])}


@pytest.fixture
def table(tmp_path: Path) -> SurvivalTable:
    (tmp_path / "survival.csv").write_text("case_id,time,event,age,site,centre\na,1,1,50,x,A\nb,2,0,60,y,B\n")
    (tmp_path / "survival.json").write_text('{"group_column": "centre"}')
    return read_survival_table(tmp_path / "survival.csv")


def columns(frame: pd.DataFrame | None) -> list[str] | None:
    return None if frame is None else list(frame)


@pytest.mark.parametrize(
    ("use", "clinical", "features"),
    [
        (CovariateUse(), ["age", "site"], ["energy", "tp53"]),
        (CovariateUse(radiomics=False), ["age", "site"], ["tp53"]),
        (CovariateUse(clinical=False), None, ["energy", "tp53"]),
    ],
)
def test_a_trainer_gets_what_it_uses(
    table: SurvivalTable, use: CovariateUse, clinical: list[str] | None, features: list[str]
) -> None:
    found = CovariateTables.gather(table, RADIOMICS, GENES, use)
    assert columns(found.clinical) == clinical
    assert columns(found.features) == features
    assert found.has_radiomics == use.radiomics
    assert (found.groups is None) == (clinical is None)


def test_an_image_only_trainer_gets_nothing_and_refuses_features(table: SurvivalTable) -> None:
    image_only = CovariateUse(radiomics=False, clinical=False)
    found = CovariateTables.gather(table, RADIOMICS, {}, image_only)
    assert found.clinical is found.features is None
    with pytest.raises(ValueError, match="looks at the image alone, but features are given: genes.csv"):
        CovariateTables.gather(table, RADIOMICS, GENES, image_only)


def test_without_radiomics_there_are_the_users_own_features(table: SurvivalTable) -> None:
    found = CovariateTables.gather(table, None, GENES, CovariateUse())
    assert columns(found.features) == ["tp53"]
    assert not found.has_radiomics


def test_a_feature_may_not_have_the_name_of_a_clinical_column(table: SurvivalTable) -> None:
    ages = {"ages.csv": pd.DataFrame({"age": [1.0, 2.0]}, index=["a", "b"])}
    with pytest.raises(ValueError, match="otherwise than the columns of survival.csv: age"):
        CovariateTables.gather(table, None, ages, CovariateUse())
    CovariateTables.gather(table, None, ages, CovariateUse(clinical=False))


def test_every_case_needs_a_row(table: SurvivalTable) -> None:
    tables = CovariateTables.gather(table, RADIOMICS.drop(index="b"), {}, CovariateUse())
    tables.check(["a"])
    with pytest.raises(ValueError, match="1 case.* no features: b"):
        tables.check(["a", "b"])


def test_numbers_come_as_the_text_of_the_table_for_a_model_that_learnt_them_as_categories(
    tmp_path: Path,
) -> None:
    (tmp_path / "survival.csv").write_text("case_id,time,event,ward\na,1,1,01\nb,2,0,02\n")
    table = read_survival_table(tmp_path / "survival.csv")
    found = CovariateTables.gather(table, None, {}, CovariateUse())
    assert found.clinical is not None and found.clinical["ward"].tolist() == [1.0, 2.0]
    learnt = Indicator("ward", CATEGORY, "01", ("01", "02"))
    assert found.values_for(learnt, ["b", "a"]).tolist() == ["02", "01"]
