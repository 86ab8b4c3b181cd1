"""Tumour volume and SUVmax as risk scores: what the model has to beat."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.assessment.assess import Other
from nnunetv2_adamss.evaluation.baselines import suv_max, tumour_volume_ml
from nnunetv2_adamss.report.patient_images import Channel
from nnunetv2_adamss.report.progress import Progress

logger = logging.getLogger(__name__)
Images = tuple[Sequence[Channel], Path]


def image_baselines(images: Mapping[str, Images], progress: Progress) -> list[Other]:
    """Risk scores of the patients whose images can be read.

    Args:
        images: channels and tumour mask by ``case_id``.
        progress: told of the patients.
    """
    volume, uptake = {}, {}
    for case_id in progress("Tumour volume and SUVmax", list(images)):
        channels, mask = images[case_id]
        pet = next((channel.file for channel in channels if channel.is_pet), None)
        try:
            volume[case_id] = tumour_volume_ml(mask)
            if pet is not None:
                uptake[case_id] = suv_max(pet, mask)
        # SimpleITK's RuntimeError for a file that is missing or broken.
        except (RuntimeError, ValueError) as error:
            logger.warning("%s has no tumour volume or SUVmax: %s", case_id, str(error).splitlines()[-1])
    scores = {"Tumour volume": volume, "SUVmax": uptake}
    return [Other(name, pd.Series(found)) for name, found in scores.items() if found]
