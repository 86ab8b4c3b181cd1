"""Baselines of the model: tumour volume and SUVmax as risk scores."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.progress import Progress
from nnunetv2_adamss.evaluation.evaluate import Other
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.patient_volumes import Channel

logger = logging.getLogger(__name__)
Images = tuple[Sequence[Channel], Path]


def measure_tumours(images: Mapping[str, Images], progress: Progress) -> dict[str, TumourMeasures]:
    """Measure size and uptake of the tumours of all patients whose images can be read, by ``case_id``.

    Args:
        images: channels and tumour mask by ``case_id``.
        progress: shows which patient is measured.
    """
    found = {}
    for case_id in progress(list(images), "tumour volume and uptake"):
        channels, mask = images[case_id]
        pet = next((channel.file for channel in channels if channel.modality == "PET"), None)
        try:
            found[case_id] = TumourMeasures.read(mask, pet)
        except ValueError as error:
            logger.warning("%s has no tumour volume or SUVmax: %s.", case_id, error)
    return found


def image_baselines(tumours: Mapping[str, TumourMeasures]) -> list[Other]:
    """Return the known volumes and SUVmax of tumours, by ``case_id``, as risk scores."""
    volume = {case_id: tumour.volume_ml for case_id, tumour in tumours.items()}
    suv_max = {c: tumour.suv_max for c, tumour in tumours.items() if tumour.suv_max is not None}
    scores = {"Tumour volume": volume, "SUVmax": suv_max}
    return [Other(name, pd.Series(score)) for name, score in scores.items() if score]
