"""Tumour volume and SUVmax as risk scores: what the model has to beat."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.progress import Progress
from nnunetv2_adamss.evaluation.evaluate import Other
from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, TUMOUR_VOLUME, measure_tumour
from nnunetv2_adamss.report.patient_pictures import Channel

logger = logging.getLogger(__name__)
Images = tuple[Sequence[Channel], Path]


def image_baselines(images: Mapping[str, Images], progress: Progress) -> list[Other]:
    """Risk scores of the patients whose images can be read.

    Args:
        images: channels and tumour mask by ``case_id``.
        progress: told of the patients.
    """
    found = {}
    for case_id in progress(list(images), "tumour volume and SUVmax"):
        channels, mask = images[case_id]
        pet = next((channel.file for channel in channels if channel.modality == "PET"), None)
        try:
            found[case_id] = measure_tumour(mask, pet)
        except ValueError as error:
            logger.warning("%s has no tumour volume or SUVmax: %s.", case_id, error)
    measured = pd.DataFrame.from_dict(found, orient="index")
    names = {TUMOUR_VOLUME: "Tumour volume", SUV_MAX: "SUVmax"}
    return [Other(name, measured[column].dropna()) for column, name in names.items() if column in measured]
