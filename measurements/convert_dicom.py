"""Time and memory of the conversion of one DICOM patient: 300 CT slices of 512 x 512 and 300 PET slices of 200 x 200.

    OMP_NUM_THREADS=1 python measurements/convert_dicom.py -o measurements/results/convert_dicom.json

The memory is the peak of a separate process that does nothing else.
"""

import argparse
import json
import resource
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings, convert_case
from nnunetv2_adamss.datasets.conversion.dicom_cohort import read_dicom_cohort
from nnunetv2_adamss.datasets.conversion.dicom_patient import DEFAULT_STRUCTURES, DicomOptions

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.dicom.writer import Study, box

SLICES = 300
SLICE_MM = 3.0
GRIDS = ("ct", "pet")
OPTIONS = DicomOptions({"tumour": DEFAULT_STRUCTURES})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    rows = {}
    with TemporaryDirectory() as folder:
        write_study(Path(folder) / "source" / "P")
        for grid in GRIDS:
            with get_context("spawn").Pool(1) as pool:
                rows[grid] = pool.apply(measure, (Path(folder) / "source", grid, Path(folder) / grid))
            print(f"{grid:5s} {rows[grid]}")
    args.output.write_text(json.dumps(rows, indent=1) + "\n")


def write_study(folder: Path) -> None:
    """Noise in an ellipse, so that files do not compress better than real ones, and a tumour on 20 slices."""
    rng = np.random.default_rng(0)
    study = Study(folder)
    ct = study.ct(body(512, rng, -1000, 30, 15), (1.0, 1.0, SLICE_MM), (-255.5, -255.5, 0.0))
    study.pet(body(200, rng, 0, 5000, 300), (2.56, 2.56, SLICE_MM), (-254.7, -254.7, 0.0))
    study.structures({"GTV": [box((-20, 20), (-20, 20), 450 + SLICE_MM * index) for index in range(20)]}, ct)


def body(side: int, rng: np.random.Generator, outside: float, inside: float, noise: float) -> np.ndarray:
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, side)])
    plane = np.where((x / 0.7) ** 2 + (y / 0.45) ** 2 < 1, inside, outside)
    return np.stack([plane + rng.normal(0, noise, plane.shape) for _ in range(SLICES)])


def measure(source: Path, grid: str, folder: Path) -> dict[str, Any]:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    start = time.process_time()  # processor time, not wall-clock time: other jobs may run
    (patient,) = read_dicom_cohort(source, OPTIONS).patients
    scanned = time.process_time()
    settings = CaseSettings(grid, (1.0, 1.0, 1.0), False, None, 0, OPTIONS.labels)
    log = convert_case(patient, settings, folder)
    return {
        "cpu_seconds_scan": round(scanned - start, 1),
        "cpu_seconds": round(time.process_time() - start, 1),
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "voxels_xyz": log["grid"]["size_xyz"],
        "warnings": log["warnings"],
    }


if __name__ == "__main__":
    main()
