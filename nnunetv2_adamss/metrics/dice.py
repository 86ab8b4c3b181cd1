"""Masks against references: Dice as the mean over cases and of all cases taken as one, and detection of lesions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import read_image, read_mask
from nnunetv2_adamss.metrics.lesion_detection import LesionDetection, count_lesions


@dataclass(frozen=True)
class LabelDice:
    """Dice of one label, by case and over all cases, and detection of its lesions.

    Attributes:
        label: its name.
        mean: over the cases in which the label occurs or was predicted; None if there is none.
        aggregated: twice the summed intersections over the summed volumes (in voxels) of all cases; None likewise.
        n_cases: in which the label occurs or was predicted.
        by_case: in [0, 1]; None where the label neither occurs nor was predicted.
        reason: why there is no Dice; None if there is.
        lesions: of all cases; None where only counts of voxels are known.
    """

    label: str
    mean: float | None
    aggregated: float | None
    n_cases: int
    by_case: dict[str, float | None]
    reason: str | None = None
    lesions: LesionDetection | None = None


def dice_by_label(
    cases: Iterable[tuple[str, Path, Path]], labels: Mapping[str, tuple[int, ...]], ignored: int | None = None
) -> list[LabelDice]:
    """Read masks and references and compare them.

    Args:
        cases: name, predicted mask and reference of each.
        labels: the values of each label or region.
        ignored: value of the reference that marks unlabelled voxels.

    Raises:
        ValueError: if mask or reference of a case cannot be read, or they lie on different grids.
    """
    counts = {case_id: _counts(mask, reference, labels, ignored) for case_id, mask, reference in cases}
    return [
        replace(
            label_dice(name, {case_id: found[row, :2] for case_id, found in counts.items()}),
            lesions=LesionDetection.over(
                np.array([found[row, 2:] for found in counts.values()], np.int64).reshape(-1, 3)
            ),
        )
        for row, name in enumerate(labels)
    ]


def _counts(
    mask: Path, reference: Path, labels: Mapping[str, tuple[int, ...]], ignored: int | None
) -> NDArray[np.int64]:
    """Voxels in both, those in one plus those in the other, and lesions found, false and missed, ``(n_labels, 5)``."""
    truth, grid = read_image(reference)
    predicted = read_mask(mask, grid, reference)
    is_counted = True if ignored is None else truth != ignored
    pairs = [
        (np.isin(predicted, values) & is_counted, np.isin(truth, values) & is_counted)
        for values in labels.values()
    ]
    return np.array([[(a & b).sum(), a.sum() + b.sum(), *count_lesions(a, b)] for a, b in pairs])


def label_dice(name: str, overlaps: Mapping[str, NDArray[np.int64]]) -> LabelDice:
    """Dice of one label from voxels in both, and voxels in one plus voxels in the other, of each case."""
    by_case = {
        case_id: 2 * int(both) / int(total) if total else None for case_id, (both, total) in overlaps.items()
    }
    values = [value for value in by_case.values() if value is not None]
    if not values:
        return LabelDice(
            name, None, None, 0, by_case, "the label neither occurs nor was predicted in any case"
        )
    both, total = np.sum(list(overlaps.values()), axis=0)
    return LabelDice(name, float(np.mean(values)), float(2 * both / total), len(values), by_case)
