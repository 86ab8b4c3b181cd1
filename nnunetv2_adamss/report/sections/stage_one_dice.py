"""Dice of Stage I in patients that it was not trained on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnunetv2_adamss.display.blocks import Block, Notice, Picture, Table, Text
from nnunetv2_adamss.display.charts import BLUE, INK, WIDTH, Chart
from nnunetv2_adamss.display.words import NONE, number
from nnunetv2_adamss.metrics.dice import LabelDice, label_dice
from nnunetv2_adamss.survival.nnunet_data.validation_summary import read_label_metrics
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

SUMMARY_FILE = "validation/summary.json"


# Name of the fold, and Dice of one label in it.
Row = tuple[str, LabelDice]


def dice_of_labels(source: CrossValidation) -> Iterator[Block]:
    """Show Dice per patient and over all patients together, of every label and fold."""
    rows: list[Row] = []
    for fold in source.folds:
        of_fold = _read(source, fold)
        if of_fold is None:
            yield Notice(
                f"{fold.name} has no Dice: {fold.stage_one.folder / SUMMARY_FILE} does not exist. Validate Stage I "
                f"with: `nnUNetv2_train {source.dataset} {source.configuration} {fold.number} -tr "
                f"{fold.summary['settings']['seg_trainer']} -p {source.plans_name} --val --val_best`"
            )
        rows += of_fold or []
    if not rows:
        return
    yield Text(
        "nnU-Net's validation of whole patients against the reference outlines. The mean over patients counts a "
        "patient with a small tumour as much as one with a large one; the aggregated Dice counts voxels. Patients "
        "without a label, and without a predicted one, have no Dice of it. nnU-Net validates the last "
        "epoch, or with `--val_best` the best one."
    )
    yield _table(rows)
    yield _picture(rows)


def mean_dice(source: CrossValidation) -> dict[str, float]:
    """Return the mean Dice over the validation patients of all validated folds, by label."""
    by_label: dict[str, list[float]] = {}
    for fold in source.folds:
        for _, found in _read(source, fold) or []:
            by_label.setdefault(found.label, []).extend(_known(found))
    return {label: float(np.mean(values)) for label, values in by_label.items() if values}


def _read(source: CrossValidation, fold: TrainedFold) -> list[Row] | None:
    """Read the Dice of each label in one fold; None if nnU-Net did not validate it."""
    file = fold.stage_one.folder / SUMMARY_FILE
    if not file.is_file():
        return None
    names = {_key(value): name for name, value in source.dataset_json["labels"].items()}
    return [
        (fold.name, label_dice(names.get(key, f"label {key}"), _overlaps(metrics)))
        for key, metrics in read_label_metrics(file).items()
    ]


def _overlaps(metrics: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[np.int64]]:
    """Return, for each case, the voxels in both masks, and the sum of voxels in each."""
    return {
        str(number): np.array([case["TP"], 2 * case["TP"] + case["FP"] + case["FN"]])
        for number, case in enumerate(metrics)
    }


def _known(found: LabelDice) -> list[float]:
    return [dice for dice in found.by_case.values() if dice is not None]


def _key(value: int | Sequence[int]) -> str:
    """Return the name of a label, or of a region of several, in nnU-Net's summary."""
    return str(value) if isinstance(value, int) else str(tuple(value))


def _table(rows: Sequence[Row]) -> Table:
    cells = [
        [
            fold,
            found.label,
            f"{found.n_cases} of {len(found.by_case)}",
            *_spread(_known(found)),
            number(found.aggregated),
        ]
        for fold, found in rows
    ]
    for label, own in _by_label(rows).items():
        pooled = [dice for _, found in own for dice in _known(found)]
        n_cases = sum(len(found.by_case) for _, found in own)
        cells.append(["All folds", label, f"{len(pooled)} of {n_cases}", *_spread(pooled), NONE])
    return Table(
        "Dice of the validation patients, 0 to 1, higher is better",
        ["Fold", "Label", "Patients with it", "Mean", "Median", "Lowest", "Aggregated"],
        cells,
        n_names=2,
    )


def _by_label(rows: Sequence[Row]) -> dict[str, list[Row]]:
    return {
        label: [row for row in rows if row[1].label == label]
        for label in dict.fromkeys(found.label for _, found in rows)
    }


def _spread(values: Sequence[float]) -> list[str]:
    if not values:
        return [NONE] * 3
    return [number(float(f(values))) for f in (np.mean, np.median, np.min)]


def _picture(rows: Sequence[Row]) -> Picture:
    by_label = _by_label(rows)
    means = [f"{found.label}, {fold}: mean {number(found.mean)}" for fold, found in rows if found.n_cases]
    with Chart(WIDTH, 2.6) as chart:
        axes = chart.axes(1, len(by_label), sharey=True)[0]
        for axis, (label, own) in zip(axes, by_label.items(), strict=True):
            _draw_label(axis, label, own)
        axes[0].set_ylabel("Dice")
        return chart.picture(
            f"Dice of every validation patient by label and fold. {'; '.join(means)}.",
            "Dice of every validation patient (dots) and the mean (bar).",
        )


def _draw_label(axes: Axes, label: str, rows: Sequence[Row]) -> None:
    rng = np.random.default_rng(0)
    for place, (_, found) in enumerate(rows):
        values = _known(found)
        beside = place + rng.uniform(-0.18, 0.18, len(values))
        axes.plot(beside, values, "o", color=BLUE, markersize=3, alpha=0.5, markeredgewidth=0)
        if found.mean is not None:
            axes.hlines(found.mean, place - 0.3, place + 0.3, color=INK, linewidth=2)
    axes.set(title=label, ylim=(-0.02, 1.02), xlim=(-0.6, len(rows) - 0.4), xlabel="fold")
    axes.set_xticks(range(len(rows)), [fold.removeprefix("Fold ") for fold, _ in rows])
