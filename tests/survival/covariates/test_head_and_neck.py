"""Clinical indicators of a real cohort of four centres, trained on two and tested on the others."""

from pathlib import Path

import pandas as pd
import pytest

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables, CovariateUse
from nnunetv2_adamss.survival.covariates.fitting import fit_covariates

TRAINING_CENTRES = ("HGJ", "CHUS")
DESCRIPTION = """{
    "endpoint": "death", "group_column": "cohort",
    "columns": {"T_stage": "ordinal", "N_stage": "ordinal", "HPV": "category", "site": "category"}
}"""


@pytest.fixture(scope="module")
def table(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SurvivalTable:
    """Age, T, N, site and HPV, as our own table."""
    folder = tmp_path_factory.mktemp("head_and_neck")
    source = pd.read_csv(real_data / "tables" / "hn_petct_vallieres2017_clinical.csv")
    columns = {"time_Death": "time", "event_Death": "event", **{n: n for n in ("Age", "T_stage", "N_stage")}}
    own = source[[*columns, "site", "HPV", "cohort"]].rename(columns=columns)
    own["site"] = own["site"].where(own["site"] != "[]")
    own.insert(0, "case_id", source["cohort"] + "_" + source["index"].astype(str))
    own.to_csv(folder / "survival.csv", index=False)
    (folder / "survival.json").write_text(DESCRIPTION)
    return read_survival_table(folder / "survival.csv")


def test_a_screened_cox_model_ranks_the_patients_of_other_centres(table: SurvivalTable) -> None:
    found = scores(table, "likelihood_ratio")
    assert found["test"] >= 0.74
    # The centre alone scores 0.70, so the figures within each test centre belong beside it.
    assert found["HMR"] == pytest.approx(0.67, abs=0.01)
    assert found["CHUM"] == pytest.approx(0.71, abs=0.01)


def test_without_screening_it_ranks_them_about_as_well(table: SurvivalTable) -> None:
    found = scores(table, "none")
    assert found["test"] == pytest.approx(0.76, abs=0.01)
    assert found["HMR"] == pytest.approx(0.69, abs=0.01)
    assert found["CHUM"] == pytest.approx(0.65, abs=0.01)


def scores(table: SurvivalTable, clinical_selection: str) -> dict[str, float]:
    """C-index of the Cox model on both test centres, and within each centre."""
    centre = table.groups("cohort")
    training = [case_id for case_id in table.case_ids if centre[case_id] in TRAINING_CENTRES]
    tables = CovariateTables.gather(table, None, {}, CovariateUse())
    time, event = table.time_and_event(training)
    config = SurvivalConfig(clinical_selection=clinical_selection)
    model, report = fit_covariates(config, tables, training, event, time)
    assert report.only_cox is not None
    parts = {"test": [case_id for case_id in table.case_ids if case_id not in training]}
    parts |= {name: list(centre.index[centre == name]) for name in centre.unique()}
    found = {}
    for name, cases in parts.items():
        time, event = table.time_and_event(cases)
        score = harrell_c(report.only_cox.risk_score(model.inputs(tables, cases)), event, time)
        assert score.c_index is not None
        found[name] = score.c_index
    return found
