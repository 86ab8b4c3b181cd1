"""Synthetic head-and-neck-like PET/CT with simulated survival: a data set whose truth is known."""

from nnunetv2_adamss.datasets.phantom.outcomes import oracle_c_index
from nnunetv2_adamss.datasets.phantom.phantom_cohort import PhantomCohort, draw_cohorts
from nnunetv2_adamss.datasets.phantom.phantom_config import (
    DEFAULT_LOG_HAZARD_RATIO,
    PhantomCohortConfig,
    log_hazard_ratios,
)
from nnunetv2_adamss.datasets.phantom.signals import CLINICAL_SIGNALS, IMAGE_SIGNALS, SIGNALS, draw_signals
from nnunetv2_adamss.datasets.phantom.writer import write_phantom_dataset

__all__ = [
    "CLINICAL_SIGNALS",
    "DEFAULT_LOG_HAZARD_RATIO",
    "IMAGE_SIGNALS",
    "SIGNALS",
    "PhantomCohort",
    "PhantomCohortConfig",
    "draw_cohorts",
    "draw_signals",
    "log_hazard_ratios",
    "oracle_c_index",
    "write_phantom_dataset",
]
