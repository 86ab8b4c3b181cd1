"""Recognise PET in Bq/ml, and convert it to SUV."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.messages import shortened
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError, faults_of
from nnunetv2_adamss.common.tables.number_cells import as_numbers, read_numbers
from nnunetv2_adamss.datasets.conversion.source_patients import patient_of

# The mean SUV (by body weight) of a body is below 1, its median even lower; a full bladder may come near 100.
_MOST_SUV, _MOST_MEDIAN, _LEAST_MEDIAN = 100.0, 10.0, 0.01
_AIR_BELOW_HU = -500
_F18_HALF_LIFE_MIN = 109.77
_REQUIRED = ("case_id", "weight_kg", "injected_dose_mbq", "minutes_to_scan")
_HALF_LIFE = "half_life_min"
_FACTOR = "bqml_to_suvbw_factor"


def is_activity(pet: NDArray[np.float32], ct_hu: NDArray[np.int16]) -> bool:
    """Return True if the median in the body is too high for SUV; the maximum decides nothing because of the bladder.

    Args:
        pet: ``(z, y, x)``.
        ct_hu: of the same shape; separates the body from the air.
    """
    body = pet[ct_hu > _AIR_BELOW_HU]
    return bool(body.size and np.median(body) > _MOST_MEDIAN)


def unit_warning(pet: NDArray[np.float32], ct_hu: NDArray[np.int16]) -> str | None:
    """Return a warning if the values of a PET are unusual for SUV, else None.

    Args:
        pet: ``(z, y, x)``.
        ct_hu: of the same shape; separates the body from the air.
    """
    body = pet[ct_hu > _AIR_BELOW_HU]
    if not body.size:
        return "the CT shows no body; is it in HU?"
    median, most = float(np.median(body)), float(pet.max())
    if most > _MOST_SUV or median > _MOST_MEDIAN:
        return f"the PET may be in Bq/ml, not SUV (median in the body {median:.4g}, maximum {most:.4g})"
    if median < _LEAST_MEDIAN:
        return f"the PET has hardly any uptake, is it in SUV? (median in the body {median:.4g}, maximum {most:.4g})"
    return None


def read_suv_factors(file: Path, case_ids: Collection[str]) -> dict[str, float]:
    """Read the factors from Bq/ml to SUV (by body weight), by ``case_id``.

    ``weight_kg * 1000 / (injected_dose_mbq * 1e6 * 0.5 ** (minutes_to_scan / half_life_min))``

    Args:
        file: CSV with the factors themselves, such as ``suv_conversion_tags.csv`` of HECKTOR 2026 (``pid``,
            ``bqml_to_suvbw_factor``), or with the columns of the formula. ``minutes_to_scan`` are from injection to the
            time to which the image is decay-corrected, so 0 where that is the injection; ``half_life_min`` may be
            left out for F-18.
        case_ids: patients of the cohort; rows of others are ignored.

    Raises:
        ValueError: with every fault of the table.
    """
    cells = read_cells(file).rename(columns=_our_name)
    required = ("case_id", _FACTOR) if _FACTOR in cells else _REQUIRED
    absent = [name for name in required if name not in cells]
    if absent:
        raise FileFaultsError(
            file,
            [
                f"there is no column {', '.join(absent)}; expected {', '.join(_REQUIRED)} and, unless it is F-18, "
                f"{_HALF_LIFE}, or case_id (or pid) and {_FACTOR}; found {', '.join(cells.columns)}"
            ],
        )
    patients = cells["case_id"].map(lambda name: patient_of(name, case_ids))
    cells, patients = cells[patients.notna()], patients.dropna()
    numbers = _numbers(cells, required[1:])
    least = [0 if name == "minutes_to_scan" else np.nextafter(0, 1) for name in numbers]
    wrong = ~numbers.ge(least)  # NaN too
    faults = [
        *faults_of("there is more than one row of", _names(cells[patients.duplicated()])),
        *(
            fault
            for name in numbers
            for fault in faults_of(f"{name} is not a number in its range for", _names(cells[wrong[name]]))
        ),
    ]
    if faults:
        raise FileFaultsError(file, faults)
    return dict(zip(patients, _factors(numbers), strict=True))


def _names(cells: pd.DataFrame) -> list[str]:
    return [shortened(case_id) for case_id in cells["case_id"]]


def _our_name(title: str) -> str:
    return {"pid": "case_id"}.get(title.casefold(), title.casefold())


def _numbers(cells: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    numbers = pd.DataFrame({name: read_numbers(cells[name]) for name in names}, index=cells.index)
    if _FACTOR not in names:
        half_life = cells[_HALF_LIFE] if _HALF_LIFE in cells else pd.Series("", index=cells.index)
        numbers[_HALF_LIFE] = as_numbers(half_life.mask(half_life == "", str(_F18_HALF_LIFE_MIN)))
    return numbers


def _factors(numbers: pd.DataFrame) -> pd.Series:
    if _FACTOR in numbers:
        return numbers[_FACTOR]
    left = 0.5 ** (numbers["minutes_to_scan"] / numbers[_HALF_LIFE])
    return numbers["weight_kg"] * 1000 / (numbers["injected_dose_mbq"] * 1e6 * left)
