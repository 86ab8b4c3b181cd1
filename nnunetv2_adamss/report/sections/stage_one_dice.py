"""How well Stage I outlines the tumour of patients that it was not trained on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nnunetv2_adamss.report.blocks import Block, Notice, Picture, Table, Text
from nnunetv2_adamss.report.charts import BLUE, INK, Chart
from nnunetv2_adamss.report.words import NONE, number
from nnunetv2_adamss.survival.nnunet_data.validation_summary import read_label_metrics
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

SUMMARY_FILE = "validation/summary.json"


@dataclass(frozen=True)
class LabelDice:
    """Dice of one label in one fold.

    Args:
        fold: name of the fold.
        label: name of the label.
        by_case: of each patient in whom the label is there or was predicted, in [0, 1].
        n_cases: patients of the fold's validation set.
        aggregated: twice the intersections of all patients over the sum of all volumes; None without any voxel.
    """

    fold: str
    label: str
    by_case: Sequence[float]
    n_cases: int
    aggregated: float | None


def dice_of_labels(source: CrossValidation) -> Iterator[Block]:
    """Dice per patient and over all patients together, of every label and fold."""
    rows: list[LabelDice] = []
    for fold in source.folds:
        of_fold = _read(source, fold)
        if of_fold is None:
            yield Notice(
                f"{fold.name} has no Dice: there is no {fold.stage_one.folder / SUMMARY_FILE}. Validate Stage I "
                f"with: `nnUNetv2_train {source.dataset} {source.configuration} {fold.number} -tr "
                f"{fold.summary['settings']['seg_trainer']} --val --val_best`"
            )
        rows += of_fold or []
    if not rows:
        return
    yield Text(
        "nnU-Net's validation of whole patients against the reference outlines. The mean over patients counts a "
        "patient with a small tumour as much as one with a large one; the aggregated Dice counts voxels. Patients "
        "without a label, in whom none was predicted either, have no Dice of it. nnU-Net validates the last "
        "epoch, or with `--val_best` the best one."
    )
    yield _table(rows)
    yield _picture(rows)


def mean_dice(source: CrossValidation) -> dict[str, float]:
    """Mean over the validation patients of all folds, by label; of the folds that were validated."""
    by_label: dict[str, list[float]] = {}
    for fold in source.folds:
        for row in _read(source, fold) or []:
            by_label.setdefault(row.label, []).extend(row.by_case)
    return {label: float(np.mean(values)) for label, values in by_label.items() if values}


def _read(source: CrossValidation, fold: TrainedFold) -> list[LabelDice] | None:
    """Of one fold; None if nnU-Net did not validate it."""
    file = fold.stage_one.folder / SUMMARY_FILE
    if not file.is_file():
        return None
    names = {_key(value): name for name, value in source.dataset_json["labels"].items()}
    return list(_labels_of_fold(fold.name, read_label_metrics(file), names))


def _labels_of_fold(
    fold: str, metrics_of_labels: Mapping[str, Sequence[Mapping[str, Any]]], names: Mapping[str, str]
) -> Iterator[LabelDice]:
    for key, metrics in metrics_of_labels.items():
        totals = {count: sum(one[count] for one in metrics) for count in ("TP", "FP", "FN")}
        volumes = 2 * totals["TP"] + totals["FP"] + totals["FN"]
        yield LabelDice(
            fold,
            names.get(key, f"label {key}"),
            [one["Dice"] for one in metrics if not np.isnan(one["Dice"])],
            len(metrics),
            2 * totals["TP"] / volumes if volumes else None,
        )


def _key(value: int | Sequence[int]) -> str:
    """How nnU-Net's summary names a label, or a region of several."""
    return str(value) if isinstance(value, int) else str(tuple(value))


def _table(rows: Sequence[LabelDice]) -> Table:
    cells = [
        [
            row.fold,
            row.label,
            f"{len(row.by_case)} of {row.n_cases}",
            *_spread(row.by_case),
            number(row.aggregated),
        ]
        for row in rows
    ]
    for label in dict.fromkeys(row.label for row in rows):
        own = [row for row in rows if row.label == label]
        pooled = [dice for row in own for dice in row.by_case]
        n_cases = sum(row.n_cases for row in own)
        cells.append(["All folds", label, f"{len(pooled)} of {n_cases}", *_spread(pooled), NONE])
    return Table(
        "Dice of the validation patients, 0 to 1, higher is better",
        ["Fold", "Label", "Patients with it", "Mean", "Median", "Lowest", "Aggregated"],
        cells,
        n_names=2,
    )


def _spread(values: Sequence[float]) -> list[str]:
    if not values:
        return [NONE] * 3
    return [number(float(f(values))) for f in (np.mean, np.median, np.min)]


def _picture(rows: Sequence[LabelDice]) -> Picture:
    labels = list(dict.fromkeys(row.label for row in rows))
    means = [f"{r.label}, {r.fold}: mean {number(float(np.mean(r.by_case)))}" for r in rows if r.by_case]
    with Chart(7.2, 2.6) as chart:
        axes = chart.axes(1, len(labels), sharey=True)[0]
        for axis, label in zip(axes, labels, strict=True):
            _draw_label(axis, label, [row for row in rows if row.label == label])
        axes[0].set_ylabel("Dice")
        return chart.picture(
            f"Dice of every validation patient by label and fold. {'; '.join(means)}.",
            "Dice of every validation patient (dots) and the mean (bar).",
        )


def _draw_label(axes: Axes, label: str, rows: Sequence[LabelDice]) -> None:
    rng = np.random.default_rng(0)
    for place, row in enumerate(rows):
        beside = place + rng.uniform(-0.18, 0.18, len(row.by_case))
        axes.plot(beside, row.by_case, "o", color=BLUE, markersize=3, alpha=0.5, markeredgewidth=0)
        if row.by_case:
            axes.hlines(float(np.mean(row.by_case)), place - 0.3, place + 0.3, color=INK, linewidth=2)
    axes.set(title=label, ylim=(-0.02, 1.02), xlim=(-0.6, len(rows) - 0.4), xlabel="fold")
    axes.set_xticks(range(len(rows)), [row.fold.removeprefix("Fold ") for row in rows])
