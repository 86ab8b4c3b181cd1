"""Training curves of both stages: losses and validation scores of every epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nnunetv2_adamss.display.blocks import Block, Notice, Picture, Text
from nnunetv2_adamss.display.charts import BLUE, GREEN, GREY, ORANGE, VERMILION, WIDTH, Chart
from nnunetv2_adamss.display.words import joined, number
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

_FOLDS_A_CHART = 5
Log = Mapping[str, Sequence[float]]


def stage_one_curves(source: CrossValidation) -> Iterator[Block]:
    """Show loss and Dice of the segmentation training."""
    yield Text(
        f"Stage I ({source.folds[0].summary['settings']['seg_trainer']}) learns to outline the tumour. Dice is "
        "nnU-Net's running estimate on validation patches, not that of whole patients, which stands under "
        "Segmentation."
    )
    logs, notices = _logs(source, "mean_fg_dice", stage_one=True)
    yield from notices
    yield from _charts(logs, "mean_fg_dice", "Dice", "Stage I")


def stage_two_curves(source: CrossValidation) -> Iterator[Block]:
    """Show loss and C-index of the survival training."""
    yield Text(f"Stage II ({source.trainer}) starts from these weights and learns to predict survival.")
    logs, notices = _logs(source, "val_c_index", stage_one=False)
    yield from notices
    yield from _charts(logs, "val_c_index", "C-index", "Stage II")
    if logs and any(f.summary["settings"]["select"] != "inner" for f in source.folds):
        yield Notice(
            "The best epoch (orange ring) is the highest point of a noisy curve on the very patients it is scored "
            "on, so its C-index is optimistic: with no information at all the best of 50 epochs averages 0.6 on a "
            "few hundred patients and 0.8 on a few dozen. No result in this report is taken from it unless it "
            "says so.",
            is_caution=True,
        )


def _logs(source: CrossValidation, score: str, *, stage_one: bool) -> tuple[dict[str, Log], list[Notice]]:
    logs, notices, unfinished = {}, [], []
    for fold in source.folds:
        try:
            trained = fold.stage_one if stage_one else fold
            logs[fold.name], is_finished = trained.log("train_losses", "val_losses", score)
            unfinished += [] if is_finished else [fold.name]
        except ValueError as error:
            notices.append(Notice(str(error)))
    if unfinished:
        notices.append(
            Notice(f"Not finished when this report was written: {joined(unfinished)}.", is_caution=True)
        )
    return logs, notices


def _charts(logs: Mapping[str, Log], score: str, score_name: str, stage: str) -> Iterator[Picture]:
    names = list(logs)
    for first in range(0, len(names), _FOLDS_A_CHART):
        yield _chart({n: logs[n] for n in names[first : first + _FOLDS_A_CHART]}, score, score_name, stage)


def _chart(logs: Mapping[str, Log], score: str, score_name: str, stage: str) -> Picture:
    said = []
    with Chart(WIDTH, 3.6) as chart:
        # The chart of a single fold would be stretched over the whole page.
        axes = chart.axes(2, max(len(logs), 2), sharex=True, sharey="row")
        for column, (name, log) in zip(axes.T, logs.items(), strict=False):
            _draw_losses(column[0], log)
            best, last = _draw_score(column[1], log[score], has_chance_level=score_name == "C-index")
            column[0].set_title(name)
            said.append(f"{name}: {len(log[score])} epochs, last {number(last)}, highest {number(best)}")
        for unused in axes[:, len(logs) :].flat:
            unused.set_visible(False)
        axes[0, 0].set_ylabel("loss")
        axes[1, 0].set_ylabel(f"validation {score_name}")
        lines = [*axes[0, 0].get_lines(), *axes[1, 0].get_lines()]
        labels = [str(line.get_label()) for line in lines]
        chart.figure.legend(lines, labels, loc="outside lower center", ncols=len(lines))
        return chart.picture(
            f"{stage}, loss and {score_name} by epoch. {score_name}: {'; '.join(said)}.",
            f"{stage}: loss (above) and validation {score_name} (below) of every epoch.",
        )


def _draw_losses(axes: Axes, log: Log) -> None:
    axes.plot(log["train_losses"], color=BLUE, linestyle="--", label="training loss")
    axes.plot(log["val_losses"], color=VERMILION, label="validation loss")


def _draw_score(axes: Axes, scores: Sequence[float], *, has_chance_level: bool) -> tuple[float, float]:
    """Draw a score and mark its best epoch; return the best and the last score."""
    values = np.asarray(scores, dtype=np.float64)
    axes.plot(values, color=GREEN, label="validation score")
    axes.set(xlabel="epoch", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if not np.isfinite(values).any():
        return math.nan, math.nan
    best = int(np.nanargmax(values))
    axes.plot(
        best, values[best], "o", color=ORANGE, fillstyle="none", markeredgewidth=1.6, label="best epoch"
    )
    if has_chance_level:
        axes.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":", label="a guess")
    return float(values[best]), float(values[-1])
