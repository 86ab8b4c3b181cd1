"""What the report says of a benchmark that is of something else than its model."""

from pathlib import Path

import pytest

from nnunetv2_adamss.benchmark.collect import GENERAL_NOTES
from nnunetv2_adamss.benchmark.write_tables import write_tables
from nnunetv2_adamss.common.files import sha256_of, write_json
from nnunetv2_adamss.display.blocks import Notice
from nnunetv2_adamss.report.sections.benchmark import comparison_of_methods
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from tests.benchmark.project import DATASET, FakeBenchmark
from tests.benchmark.results import collect, write_method


@pytest.mark.parametrize(
    ("changed", "expected"), [("", ""), ("plans", "plans"), ("split", "split"), ("outcomes", "outcomes")]
)
def test_a_benchmark_of_something_else_than_the_model_is_said_to_be_that(
    fake_benchmark: FakeBenchmark, tmp_path: Path, changed: str, expected: str
) -> None:
    write_method(fake_benchmark, "ICARE", 1, 2)
    collection = collect(fake_benchmark, "icare")
    write_tables(tmp_path, collection.tables(), GENERAL_NOTES, collection.provenance())
    outcomes = fake_benchmark.project.raw / DATASET / "survival.csv"
    if changed == "outcomes":
        outcomes.write_text(outcomes.read_text() + "\n")
    if changed == "split":
        splits = fake_benchmark.project.preprocessed / DATASET / "splits_final.json"
        splits.write_text(splits.read_text() + "\n")
    summary = {"sources_sha256": {"outcomes (survival.csv)": sha256_of(outcomes)}}
    plans = "otherPlans" if changed == "plans" else "nnUNetPlans"
    fold = TrainedFold(tmp_path / DATASET / f"T__{plans}__3d_fullres" / "fold_0")
    write_json(fold.folder / "survival_summary.json", {"settings": {}, **summary})
    source = CrossValidation(fold.folder.parent, [fold])
    notices = [block for block in comparison_of_methods(source, tmp_path) if isinstance(block, Notice)]
    assert [f"(different: {expected})" in notice.text for notice in notices] == ([True] if expected else [])
