"""Baselines of the model: tumour volume and SUVmax as risk scores."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.progress import Progress
from nnunetv2_adamss.evaluation.evaluate import Other
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.patient_volumes import pet_of
from nnunetv2_adamss.report.shown_patient import FindChannels

logger = logging.getLogger(__name__)
Images = tuple[FindChannels, Path]


def measure_tumours(
    images: Mapping[str, Images], progress: Progress, ignore_label: int | None
) -> dict[str, TumourMeasures]:
    """Measure size and uptake of the tumours of all patients whose images can be read, by ``case_id``.

    Args:
        images: what finds the channels, and the tumour mask, by ``case_id``.
        progress: shows which patient is measured.
        ignore_label: the value of masks that is no tumour, or None.

    Raises:
        ValueError: if there are patients, and the images of none can be read.
    """
    found, faults = {}, []
    for case_id in progress(list(images), "tumour volume and uptake"):
        find_channels, mask = images[case_id]
        try:
            found[case_id] = TumourMeasures.read(mask, pet_of(find_channels()), ignore_label)
        except ValueError as error:
            faults.append(f"{case_id} ({str(error).rstrip('.')})")
    if faults and not found:
        raise ValueError(f"The images of no patient can be read: {listed(faults)}.")
    if faults:
        logger.warning("%d patient(s) have no tumour volume and SUVmax: %s.", len(faults), listed(faults))
    return found


def baselines_or_note(
    tumours: Callable[[], Mapping[str, TumourMeasures]],
) -> tuple[list[Other], list[str]]:
    """Return the baselines of tumours that are measured now, or a sentence if no image can be read."""
    try:
        return image_baselines(tumours()), []
    except (ValueError, OSError) as error:
        return [], [f"Tumour volume and SUVmax do not stand beside the model. {error}"]


def image_baselines(tumours: Mapping[str, TumourMeasures]) -> list[Other]:
    """Return the known volumes and SUVmax of tumours, by ``case_id``, as risk scores."""
    volume = {case_id: tumour.volume_ml for case_id, tumour in tumours.items()}
    suv_max = {c: tumour.suv_max for c, tumour in tumours.items() if tumour.suv_max is not None}
    scores = {"Tumour volume": volume, "SUVmax": suv_max}
    return [Other(name, pd.Series(score)) for name, score in scores.items() if score]
