"""Time and memory of the conversion of one patient, with scans as large as HECKTOR's.

CT of 512 x 512 x 200 voxels of 1 x 1 x 3 mm, PET of 200 x 200 x 150 voxels of 4 x 4 x 4 mm, noise and ellipsoids in the
place of organs, so that files do not compress better than real ones. One process, one thread.

    OMP_NUM_THREADS=1 python measurements/convert_patient.py -o measurements/results/convert_patient.json

The memory is the peak of a separate process that does nothing else.
"""

import argparse
import json
import resource
import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings, convert_case
from nnunetv2_adamss.datasets.conversion.source_patients import PatientFiles

SETTINGS = {
    "iso, whole": ("iso", False),
    "iso, head_neck": ("iso", True),
    "ct": ("ct", False),
    "pet": ("pet", False),
}
ORGANS = [  # centre (LPS, mm), half axes (mm), HU, SUV
    ((0, 0, 30), (190, 120, 270), 30, 0.8),
    ((0, 0, 200), (80, 100, 95), 40, 1.0),
    ((0, -10, 220), (68, 82, 58), 35, 8.0),
]
TUMOUR = ((15, -30, 110), (14, 16, 18), 45, 12.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    rows = {}
    with TemporaryDirectory() as folder:
        patient = write_patient(Path(folder))
        for name, (grid, head_and_neck) in SETTINGS.items():
            settings = CaseSettings(
                grid, (1.0, 1.0, 1.0), head_and_neck, None, 0, {"background": 0, "tumour": 1}
            )
            with get_context("spawn").Pool(1) as pool:
                rows[name] = pool.apply(measure, (patient, settings, Path(folder) / name))
            print(f"{name:15s} {rows[name]}")
    args.output.write_text(json.dumps(rows, indent=1) + "\n")


def write_patient(folder: Path) -> PatientFiles:
    rng = np.random.default_rng(0)
    patient = PatientFiles("P", *(folder / f"{name}.nii.gz" for name in ("ct", "pet", "mask")))
    ct, mask = paint((512, 512, 200), (1.0, 1.0, 3.0), -1000, value=2)
    pet, _ = paint((200, 200, 150), (4.0, 4.0, 4.0), 0, value=3)
    for image, file, noise, kind in ((ct, patient.ct, 15, np.int16), (pet, patient.pet, 0.05, np.float32)):
        values = sitk.GetArrayFromImage(image)
        noisy = sitk.GetImageFromArray((values + rng.normal(0, noise, values.shape)).astype(kind))
        noisy.CopyInformation(image)
        sitk.WriteImage(noisy, str(file))
    sitk.WriteImage(mask, str(patient.mask))
    return patient


def paint(
    size: tuple[int, ...], spacing: tuple[float, ...], nothing: float, value: int
) -> tuple[sitk.Image, sitk.Image]:
    """Paint item ``value`` of each organ and of the tumour; return the image and the tumour's mask."""
    origin = [-(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)]
    x, y, z = np.ogrid[tuple(slice(0, n) for n in size)]
    axes = [o + index * s for o, index, s in zip(origin, (x, y, z), spacing, strict=True)]
    values, inside = np.full(size, nothing, np.float32), np.zeros(size, bool)
    for organ in (*ORGANS, TUMOUR):
        inside = sum(((a - c) / h) ** 2 for a, c, h in zip(axes, *organ[:2], strict=True)) < 1
        values[inside] = organ[value]
    images = [sitk.GetImageFromArray(array.T) for array in (values, inside.astype(np.uint8))]
    for image in images:
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
    return images[0], images[1]


def measure(patient: PatientFiles, settings: CaseSettings, folder: Path) -> dict[str, Any]:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    start = time.process_time()  # processor time, not wall-clock time: other jobs may run
    log = convert_case(patient, settings, folder)
    return {
        "cpu_seconds": round(time.process_time() - start, 1),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "voxels_xyz": log["grid"]["size_xyz"],
        "files_mb": round(sum(file.stat().st_size for file in folder.rglob("*.nii.gz")) / 1e6, 1),
        "warnings": log["warnings"],
    }


if __name__ == "__main__":
    main()
