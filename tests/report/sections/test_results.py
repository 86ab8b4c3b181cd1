"""Results as tables and pictures; what cannot be estimated has a reason, and no table has a nan."""

import pytest

from nnunetv2_adamss.display.blocks import Picture, Section, Table
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.sections.results import headlines, subsections
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import calibrate
from tests.nnunet_project import NnunetProject
from tests.report.content import flat, words_of


@pytest.mark.parametrize("is_calibrated", [False, True])
def test_no_result_is_a_bare_nan(
    project: NnunetProject, source: CrossValidation, is_calibrated: bool
) -> None:
    if is_calibrated:
        calibrate(project)
    found = OutOfFold(source)
    blocks = flat(subsections(found.evaluation, found.patients, "results"))
    words = [words_of(block) for block in blocks]
    assert not [text for text in words if "nan" in text.lower().split() or "None" in text]
    titles = [block.title for block in blocks if isinstance(block, Section)]
    assert titles[:5] == [
        "Who was evaluated", "Ranking", "Comparisons", "Risk groups", "At horizons",
    ]  # fmt: skip


def test_folds_with_few_events_have_a_dash_and_below_the_table_the_reason(source: CrossValidation) -> None:
    found = OutOfFold(source)
    tables = [b for b in flat(subsections(found.evaluation, found.patients, "r")) if isinstance(b, Table)]
    (by_fold,) = [table for table in tables if table.caption == "Harrell's C by fold"]
    for row, part in zip(by_fold.rows, found.evaluation.folds, strict=True):
        assert part.n_events < 10
        assert row[-1] == "–"  # noqa: RUF001
    assert "events in comparable pairs, at least 10 are needed" in by_fold.notes[-1]


def test_headlines_give_the_interval_or_the_reason(source: CrossValidation) -> None:
    evaluation = OutOfFold(source).evaluation
    low, high = evaluation.harrell_c.interval or (0, 0)
    names = [name for name, _ in headlines(evaluation)]
    assert f"95% interval {low:.3f} to {high:.3f}" in names[-1]


def test_risk_groups_are_described_in_words_and_numbers(calibrated_source: CrossValidation) -> None:
    found = OutOfFold(calibrated_source)
    pictures = [b for b in flat(subsections(found.evaluation, found.patients, "r")) if isinstance(b, Picture)]
    (groups,) = [picture for picture in pictures if "risk groups" in picture.description]
    n_events = [group.n_events for group in found.evaluation.risk_groups.groups]
    assert f"low risk: 12 patients, {n_events[0]} events" in groups.description
    assert f"high risk: 12 patients, {n_events[1]} events" in groups.description
