"""Dice of masks against references: the mean over cases, and of all cases taken as one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import read_image, read_mask


@dataclass(frozen=True)
class LabelDice:
    """Dice of one label, by case and over all cases.

    Attributes:
        label: its name.
        mean: over the cases in which the label occurs or was predicted; None if there is none.
        aggregated: twice the summed intersections over the summed volumes (in voxels) of all cases; None likewise.
        n_cases: in which the label occurs or was predicted.
        by_case: in [0, 1]; None where the label neither occurs nor was predicted.
        reason: why there is no Dice; None if there is.
    """

    label: str
    mean: float | None
    aggregated: float | None
    n_cases: int
    by_case: dict[str, float | None]
    reason: str | None = None


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
    overlaps = {case_id: _overlaps(mask, reference, labels, ignored) for case_id, mask, reference in cases}
    return [
        label_dice(name, {case_id: found[:, row] for case_id, found in overlaps.items()})
        for row, name in enumerate(labels)
    ]


def _overlaps(
    mask: Path, reference: Path, labels: Mapping[str, tuple[int, ...]], ignored: int | None
) -> NDArray[np.int64]:
    """Voxels in both, and voxels in one plus voxels in the other, ``(2, n_labels)``."""
    truth, grid = read_image(reference)
    predicted = read_mask(mask, grid, reference)
    if ignored is not None:
        predicted, truth = (voxels[truth != ignored] for voxels in (predicted, truth))
    pairs = [(np.isin(predicted, values), np.isin(truth, values)) for values in labels.values()]
    return np.array([[(a & b).sum() for a, b in pairs], [a.sum() + b.sum() for a, b in pairs]])


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
