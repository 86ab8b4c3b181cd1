"""Time and memory of ``adamss_hecktor_inference`` for one patient as large as HECKTOR's.

The patient of ``convert_patient.py``, converted to 1 mm and cut to head and neck, and the networks of
``predict_patient.py`` (the paper's, with a patch of 112^3 voxels and initial weights): one fold, no radiomics, no
mirroring, CPU.

    python measurements/hecktor_inference.py WORK_FOLDER -o measurements/results/hecktor_inference.json
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import SimpleITK as sitk
from convert_patient import write_patient
from predict_patient import prepare, save_networks

from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings

CONVERSION = CaseSettings("iso", (1.0, 1.0, 1.0), True, None, 0, {"background": 0, "tumour": 1})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    work = args.work.resolve()
    os.environ.update({f"nnUNet_{name}": str(work / name) for name in ("raw", "preprocessed", "results")})
    prepare(work)
    model = save_networks()
    write_input(work / "input")
    (work / "conversion_log.json").write_text(json.dumps({"settings": asdict(CONVERSION)}))
    command = [
        sys.executable,
        "-m",
        "nnunetv2_adamss.cli.hecktor_inference",
        "--rfs_output",
        "days",
        "-f",
        "0",
    ]
    paths = ["-m", model, "--conversion_log", work / "conversion_log.json"]
    paths += ["-i", work / "input", "-o", work / "output"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        [*command, *paths, "-device", args.device, "--disable_tta"],
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "steps": next(line for line in run.stdout.splitlines() if line.startswith("Seconds: ")),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "peak_memory_gb": round(after.ru_maxrss / 1e6, 2),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
    }
    args.output.write_text(json.dumps(result, indent=1) + "\n")
    print(result)


def write_input(folder: Path) -> None:
    """Write ``/input`` as the challenge mounts it."""
    for kind in ("ct", "pet"):
        (folder / "images" / kind).mkdir(parents=True, exist_ok=True)
    patient = write_patient(folder)
    for kind, file in (("ct", patient.ct), ("pet", patient.pet)):
        image = sitk.ReadImage(str(file))
        for key in image.GetMetaDataKeys():  # of NIfTI
            image.EraseMetaData(key)
        sitk.WriteImage(image, str(folder / "images" / kind / "image.mha"), useCompression=True)
    (folder / "ehr.json").write_text('{"Age": 60}')


if __name__ == "__main__":
    main()
