"""Comparison of the model's method with others, from ``adamss_benchmark``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.present_cohort import outcome_hashes
from nnunetv2_adamss.benchmark.write_tables import provenance_facts, read_benchmark
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Text
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, dataset_folder
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation


def comparison_of_methods(source: CrossValidation, folder: Path) -> Iterator[Block]:
    """Show the tables of a benchmark.

    Args:
        source: the model of the report.
        folder: of the benchmark.

    Raises:
        ValueError: if it has no tables.
    """
    tables, notes, provenance = read_benchmark(folder)
    differing = list(_differences(source, provenance))
    if differing:
        settings = provenance["settings"]
        yield Notice(
            f"The benchmark is of {settings['dataset']}, {settings['configuration']}, not of this model's data "
            f"(different: {', '.join(differing)}), so its figures are not to be compared with this model's.",
            is_caution=True,
        )
    yield Text(" ".join(notes))
    yield from tables
    yield Facts(provenance_facts(provenance))


def _differences(source: CrossValidation, provenance: Mapping[str, Any]) -> Iterator[str]:
    """Return known differences between the benchmark and the model."""
    settings = provenance["settings"]
    if settings["dataset"] != source.dataset:
        yield "data set"
        return
    if settings["configuration"] != source.configuration:
        yield "configuration"
    if provenance.get("plans_name", source.plans_name) != source.plans_name:
        yield "plans"
    splits = dataset_folder(PREPROCESSED, source.dataset) / SPLITS_FILE
    if splits.is_file() and provenance.get("splits_sha256") != sha256_of(splits):
        yield "split"
    used = [outcome_hashes(fold.summary.get("sources_sha256", {})) for fold in source.folds]
    if any(hashes and hashes != outcome_hashes(provenance["outcomes_sha256"]) for hashes in used):
        yield "outcomes"
