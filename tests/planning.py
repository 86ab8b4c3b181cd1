"""nnU-Net's planning and preprocessing of small data sets, in seconds."""

import multiprocessing.dummy
import multiprocessing.pool  # before its get_context is another one
import warnings
from typing import Any

import pytest
from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
from nnunetv2.experiment_planning.plan_and_preprocess_api import (
    extract_fingerprint_dataset,
    plan_experiments,
    preprocess,
)

from tests.nnunet_project import NnunetProject


class _QuickFingerprint(DatasetFingerprintExtractor):
    """One of fewer intensities."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.num_foreground_voxels_for_intensitystats = 1e5


def plan_and_preprocess(project: NnunetProject, dataset_id: int, *configurations: str) -> None:
    """What ``nnUNetv2_plan_and_preprocess`` does, in threads of this process.

    The command starts new processes three times, each of which imports torch for seconds, and sorts a hundred million
    intensities however small the images are.
    """
    with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        project.use(monkeypatch)
        monkeypatch.setattr(multiprocessing, "get_context", lambda method: multiprocessing.dummy)
        extract_fingerprint_dataset(dataset_id, _QuickFingerprint, num_processes=1)
        plan_experiments([dataset_id])
        preprocess([dataset_id], configurations=configurations, num_processes=[1])
