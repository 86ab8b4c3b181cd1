"""Warnings on the DICOM files of a cohort."""

from __future__ import annotations

from collections.abc import Sequence

from nnunetv2_adamss.common.messages import listed


def about_damaged_files(n_damaged: int, case_ids: Sequence[str] = ()) -> list[str]:
    """Return a sentence on files that are left out, with the patients if they are known; none if there are none."""
    if not n_damaged:
        return []
    of = f" of {listed(case_ids)}" if case_ids else ""
    return [
        f"{n_damaged} DICOM file(s){of} are empty or have damaged headers and are left out; at the end of a series a "
        "missing slice cannot be noticed, so export them again"
    ]
