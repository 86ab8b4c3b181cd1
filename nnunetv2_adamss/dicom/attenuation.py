"""Whether a PET is corrected for attenuation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnunetv2_adamss.dicom.tags import texts_of

ATTENUATION_TAGS = ("CorrectedImage", "AttenuationCorrectionMethod")


def is_attenuation_corrected(tags: Mapping[str, Any]) -> bool | None:
    """Return True or False by the list of corrections, or else by the method; None if both tags are empty."""
    corrections = texts_of(tags, "CorrectedImage")
    if corrections:
        return "ATTN" in corrections
    method = "".join(texts_of(tags, "AttenuationCorrectionMethod")).strip().upper()
    return not method.startswith("NONE") if method else None
