"""Everything about a study's predictions, and every way in which there is nothing to say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.display.markdown import markdown
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings, Other, evaluate
from nnunetv2_adamss.evaluation.evaluated_patients import match
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.evaluation_sections import evaluation_sections
from nnunetv2_adamss.evaluation.prediction_files import read_predictions
from nnunetv2_adamss.metrics.concordance import bootstrap_harrell_c, harrell_c
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from tests.evaluation.study import Study, make_study

QUICK = EvaluationSettings(n_resamples=50)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path)


def assess_files(
    study: Study, *files: Path, settings: EvaluationSettings = QUICK, **options: Any
) -> Evaluation:
    survival = read_survival_table(study.survival_csv)
    return evaluate(match(read_predictions(files), survival), survival, settings, **options)


def missing_without_reason(value: Any, path: str = "") -> list[str]:
    """Every estimate in a result whose value is None and that does not say why."""
    if isinstance(value, list):
        return [hit for i, item in enumerate(value) for hit in missing_without_reason(item, f"{path}[{i}]")]
    if not isinstance(value, dict):
        return []
    here = [path] if "value" in value and value["value"] is None and not value["reason"] else []
    return here + [hit for k, item in value.items() for hit in missing_without_reason(item, f"{path}.{k}")]


def test_the_cohort_is_described_and_patients_left_out_are_named(study: Study) -> None:
    found = assess_files(study, study.write()).cohort
    assert (found.n_patients, found.endpoint, found.time_unit) == (118, "death", "days")
    assert (found.without_outcome, found.without_prediction) == (["case_119"], ["case_118"])
    outcomes = pd.read_csv(study.survival_csv)[:118]
    assert found.n_events == outcomes["event"].sum()
    assert found.missing_values == {"age": outcomes["age"].isna().sum(), "centre": 0}
    assert found.median_follow_up.value is not None


def test_one_file_is_ranked_as_the_c_index_alone_ranks_it(study: Study) -> None:
    found = assess_files(study, study.write())
    outcomes = pd.read_csv(study.survival_csv)[:118]
    event, time = outcomes["event"].to_numpy(bool), outcomes["time"].to_numpy()
    risk_score = study.predictions["risk_score"].to_numpy()[:118]
    expected = bootstrap_harrell_c(risk_score, event, time, n_resamples=50)
    assert (found.harrell_c.value, found.harrell_c.interval) == (expected.c_index, expected.interval)
    assert found.folds == []
    first = outcomes["centre"] == "A"
    of_first = harrell_c(risk_score[first], event[first], time[first])
    assert [(part.name, part.n_patients) for part in found.groups] == [("A", 60), ("B", 58)]
    assert found.groups[0].c_index.value == of_first.c_index


def test_horizons_are_years_and_those_beyond_follow_up_say_so(study: Study) -> None:
    found = assess_files(study, study.write())
    assert [auc.horizon for auc in found.auc] == [365.25, 730.5, 1095.75, 1826.25]
    assert all(auc.value is not None for auc in found.auc[:3])
    assert found.brier[1].skill.value is not None and found.brier[1].skill.value > 0
    (beyond,) = assess_files(study, study.write(), settings=EvaluationSettings((2900.0,), n_resamples=5)).auc
    assert beyond.value is None and beyond.reason is not None and "beyond follow-up" in beyond.reason


def test_folds_are_ranked_apart_and_named(study: Study) -> None:
    files = study.write_folds(risk_score=study.predictions["risk_score"] + 50 * (np.arange(119) % 3))
    found = assess_files(study, *files, fold_names=["x", "y", "z"])
    assert [part.name for part in found.folds] == ["x", "y", "z"]
    weights = [part.c_index.n_pairs for part in found.folds]
    mean = np.average([part.c_index.value for part in found.folds], weights=weights)
    assert found.harrell_c.value == pytest.approx(mean)
    assert any("never ranked against each other" in note for note in found.notes)
    assert found.harrell_c.value == assess_files(study, *study.write_folds()).harrell_c.value


def test_without_groups_or_threshold_there_are_no_risk_groups_and_the_reason(study: Study) -> None:
    found = assess_files(study, study.write()).risk_groups
    assert found.groups == []
    assert found.reason is not None and found.reason.startswith("no risk groups: ")


def test_a_threshold_and_the_same_groups_as_a_column_compare_alike(study: Study) -> None:
    by_threshold = assess_files(
        study, study.write(), settings=EvaluationSettings(threshold=-7, n_resamples=5)
    )
    named = np.where(study.predictions["risk_score"] >= -7, "high", "low")
    by_column = assess_files(study, study.write(risk_group=named))
    assert by_threshold.risk_groups.hazard_ratio == by_column.risk_groups.hazard_ratio
    assert by_threshold.risk_groups.source == "risk_score of at least -7"
    assert by_column.risk_groups.source == "column risk_group"
    assert by_column.risk_groups.log_rank_p < 0.05
    with pytest.raises(ValueError, match="leave --threshold out"):
        assess_files(study, study.write(risk_group=named), settings=EvaluationSettings(threshold=-7))


def test_others_are_compared_on_the_patients_of_both_with_holms_correction(study: Study) -> None:
    risk = study.predictions.set_index("case_id")["risk_score"]
    noise = pd.Series(np.random.default_rng(0).normal(size=119), risk.index)
    found = assess_files(study, study.write(), others=[Other("noise", noise), Other("half", risk[:60])])
    first, second = found.comparisons
    assert (first.n_patients, second.n_patients) == (118, 60)
    assert second.not_compared[0] == "case_060" and len(second.not_compared) == 58
    assert second.result.difference.value == 0 and second.result.p_value == 1
    assert first.result.first.value == found.harrell_c.value
    assert first.p_value_holm == pytest.approx(min(1, 2 * first.result.p_value))


def test_others_with_folds_are_ranked_within_the_folds_of_both(study: Study) -> None:
    risk = study.predictions.set_index("case_id")["risk_score"]
    halves = pd.Series(np.arange(119) % 2, risk.index)
    shifted = Other("shifted", risk + 100 * halves, halves)
    (found,) = assess_files(study, study.write(), others=[shifted]).comparisons
    assert found.result.difference.value == 0
    assert found.result.first.n_pairs < assess_files(study, study.write()).harrell_c.n_pairs


def test_others_without_a_common_patient_are_refused(study: Study) -> None:
    with pytest.raises(ValueError, match="strange has none of the evaluated patients"):
        assess_files(study, study.write(), others=[Other("strange", pd.Series([1.0], ["x"]))])


def test_cases_that_the_table_does_not_have_are_refused_by_name(study: Study) -> None:
    case_ids = ["unknown_case", *study.predictions["case_id"][1:]]
    with pytest.raises(ValueError, match=r"survival.csv: predicted cases have no row: unknown_case\."):
        assess_files(study, study.write(case_id=case_ids))


def test_predictions_of_cases_without_outcome_only_are_refused(study: Study) -> None:
    file = study.folder / "one.csv"
    file.write_text("case_id,risk_score\ncase_119,1\n")
    with pytest.raises(ValueError, match="None of the predicted cases has an outcome"):
        assess_files(study, file)


@pytest.mark.parametrize("what", ["one case", "three cases", "all censored", "not finite", "no curves"])
def test_whatever_cannot_be_estimated_has_a_reason_in_words_and_never_nan(study: Study, what: str) -> None:
    table = study.predictions
    outcomes = pd.read_csv(study.survival_csv)
    event = outcomes.set_index("case_id")["event"].reindex(table["case_id"]).to_numpy()
    kept = {"one case": np.arange(119) < 1, "three cases": np.arange(119) < 3, "all censored": event == 0}
    table = table[kept.get(what, np.ones(119, dtype=bool))]
    if what == "not finite":
        table = table.assign(risk_score=[np.inf, *table["risk_score"][1:]])
    if what == "no curves":
        table = table[["case_id", "risk_score"]]
    file = study.folder / "p.csv"
    # A risk that is not finite has no group; a file that gives it one is refused.
    table = table if what == "not finite" else table.assign(risk_group="high")
    table.to_csv(file, index=False)
    found = assess_files(study, file, others=[Other("volume", table.set_index("case_id")["risk_score"])])
    content = found.to_dict()
    json.dumps(content, allow_nan=False)
    assert missing_without_reason(content) == []
    assert "nan" not in markdown("Evaluation", evaluation_sections(found)).casefold()
    if what != "no curves":
        assert found.harrell_c.value is None and found.uno_c.value is None
        assert found.comparisons[0].result.p_value is None


def test_a_reversed_ranking_and_a_reversed_time_are_pointed_out(study: Study) -> None:
    reverse = study.write(risk_score=-study.predictions["risk_score"])
    assert any("the wrong way round" in note for note in assess_files(study, reverse).notes)
    contradicting = study.write(predicted_time=study.predictions["risk_score"])
    assert any("predicted_time rises" in note for note in assess_files(study, contradicting).notes)
    consistent = study.write(predicted_time=-study.predictions["risk_score"])
    assert assess_files(study, consistent).notes == []
