"""Six cases of 24^3 voxels with a hot ball in PET, planned and preprocessed by nnU-Net."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from tests.nnunet_project import NnunetProject
from tests.planning import plan_and_preprocess


def make_tiny_project(root: Path) -> None:
    project = NnunetProject(root)
    labels = {"background": 0, "tumour": 1, "core": 2, "ignore": 3}
    write_balls(project, "Dataset901_Tiny", {"labels": labels})
    plan_and_preprocess(project, 901, "3d_fullres", "2d")


def write_balls(project: NnunetProject, name: str, dataset_json: dict[str, Any], n_cases: int = 6) -> None:
    """Write noisy images of one ball, label 1, with its core, label 2, and an unlabelled slab, 3."""
    rng = np.random.default_rng(0)
    folder = project.raw / name
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    for case in range(n_cases):
        centre = rng.uniform(9, 15, size=3).reshape(3, 1, 1, 1)
        distance = np.linalg.norm(np.indices((24, 24, 24)) - centre, axis=0)
        label = (distance < 7).astype(np.uint8) + (distance < 4)
        pet = 5.0 * label + rng.normal(1, 0.5, label.shape)
        ct = 40.0 * (label > 0) + rng.normal(0, 20, label.shape)
        label[:3] = 3
        for file, array in (
            (f"imagesTr/case_{case}_0000", ct.astype(np.float32)),
            (f"imagesTr/case_{case}_0001", pet.astype(np.float32)),
            (f"labelsTr/case_{case}", label),
        ):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / f"{file}.nii.gz"))
    description = {"channel_names": {"0": "CT", "1": "PET"}, "numTraining": n_cases, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(description | dataset_json))
