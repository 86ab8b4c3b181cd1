"""Correlation filter: keep one of several features that carry the same information."""

import numpy as np
import pandas as pd

_MAX_RANK_CORRELATION = 0.7


def drop_correlated(inputs: pd.DataFrame) -> list[str]:
    """Names of columns of which no two have a Spearman correlation beyond 0.7 in either direction.

    choice: the paper does not state which one of a pair stays. Here the one that most others are correlated with, since
    it represents them; then the one with the higher mean correlation; then the first by name. Outcomes are not used, so
    that the cross-validation that follows is not biased, and the order of the columns does not matter.

    Args:
        inputs: ``(n_cases, n_columns)``, finite, none constant.

    Returns:
        Sorted by name.
    """
    names = sorted(map(str, inputs))
    if len(names) < 2:
        return names
    correlation = np.abs(np.corrcoef(inputs[names].rank().to_numpy(), rowvar=False))
    alike = correlation > _MAX_RANK_CORRELATION
    # Rounded, so that sums of equal numbers in another order are equal.
    mean = correlation.mean(axis=0).round(9)
    order = sorted(range(len(names)), key=lambda i: (-alike[i].sum(), -mean[i], names[i]))
    kept: list[int] = []
    for place in order:
        if not alike[place, kept].any():
            kept.append(place)
    return sorted(names[place] for place in kept)
