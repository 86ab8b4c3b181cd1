"""Write the results: numbers for programs, tables and pictures for readers, and their provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.files import sha256_of, write_atomically, write_json
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.display.charts import save_png
from nnunetv2_adamss.display.markdown import markdown
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.evaluation_sections import evaluation_sections, segmentation_table
from nnunetv2_adamss.evaluation.figures import FIGURES, draw
from nnunetv2_adamss.metrics.dice import LabelDice

METRICS_JSON, METRICS_MD, BASELINES_CSV = "metrics.json", "metrics.md", "baselines.csv"
_PACKAGES = ("nnunetv2-adamss", "numpy", "scipy", "pandas", "lifelines", "matplotlib")


def provenance(settings: EvaluationSettings, inputs: Sequence[Path]) -> dict[str, Any]:
    """Return versions, settings with the seed, and hashes of the input files by their path."""
    return {
        "versions": {name: version(name) for name in _PACKAGES},
        "settings": asdict(settings),
        "sha256": {str(file): sha256_of(file) for file in inputs if file.is_file()},
    }


def write_evaluation(
    folder: Path,
    evaluation: Evaluation,
    patients: Patients,
    settings: EvaluationSettings,
    *,
    provenance: Mapping[str, Any],
    baselines: pd.DataFrame | None = None,
) -> list[Path]:
    """Write ``metrics.json``, ``metrics.md``, the pictures, and ``baselines.csv`` if there are any.

    Files of an earlier evaluation in the same folder are removed.

    Args:
        folder: made if need be.
        evaluation: the results.
        patients: of the results.
        settings: of the evaluation.
        provenance: stands in ``metrics.json``.
        baselines: volumes and uptakes that were compared, index ``case_id``.

    Returns:
        The files.
    """
    _remove_earlier(folder)
    content = {**evaluation.to_dict(), "provenance": dict(provenance)}
    write_json(folder / METRICS_JSON, content)
    shown = markdown("Evaluation of survival predictions", evaluation_sections(evaluation))
    write_atomically(folder / METRICS_MD, shown)
    written = [folder / METRICS_JSON, folder / METRICS_MD]
    if baselines is not None:
        write_atomically(folder / BASELINES_CSV, csv_text(baselines))
        written.append(folder / BASELINES_CSV)
    figures = draw(evaluation, patients, settings.threshold)
    for name, figure in figures.items():
        save_png(figure, folder / name)
    return [*written, *(folder / name for name in figures)]


def write_segmentation(folder: Path, labels: Sequence[LabelDice]) -> list[Path]:
    """Write ``metrics.json`` and ``metrics.md`` of masks alone, and return these files."""
    _remove_earlier(folder)
    versions = {name: version(name) for name in _PACKAGES}
    content = {"segmentation": [asdict(label) for label in labels], "provenance": {"versions": versions}}
    write_json(folder / METRICS_JSON, content)
    shown = markdown("Evaluation of masks", [segmentation_table(labels)])
    write_atomically(folder / METRICS_MD, shown)
    return [folder / METRICS_JSON, folder / METRICS_MD]


def _remove_earlier(folder: Path) -> None:
    """Remove files of an earlier evaluation that would not be replaced."""
    for name in (*FIGURES, BASELINES_CSV):
        (folder / name).unlink(missing_ok=True)
