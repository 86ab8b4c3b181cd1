"""Check the container's output for a patient: ``python3 check_output.py INPUT OUTPUT``; exit code 1 if it is wrong."""

import json
import math
import sys
from pathlib import Path

from nnunetv2_adamss.common.images import read_header, read_image
from nnunetv2_adamss.tn_stages.stage_names import CLASSES

_MASK = Path("images", "head-neck-tumor-segmentation", "output.mha")


def faults_of(patient: Path, output: Path) -> list[str]:
    """Return the differences from HECKTOR 2026's description of the outputs."""
    faults = []
    ct = read_header(next((patient / "images" / "ct").iterdir()))
    mask, grid = read_image(output / _MASK)
    if grid.size != ct.size or grid.distance_in_voxels(ct) > 1e-3:
        faults.append(f"the mask lies on {grid}, the CT on {ct}")
    if mask.dtype != "uint8" or mask.max() > 2:
        faults.append(f"the mask has values of type {mask.dtype} up to {mask.max()}, expected uint8 up to 2")
    for letter, classes in CLASSES.items():
        file = output / f"{letter.lower()}-stage.json"
        stage = json.loads(file.read_text()) if file.is_file() else "not there"
        if stage not in classes:
            faults.append(f"{file.name} is {stage}, expected one of {', '.join(classes)}")
    rfs = json.loads((output / "rfs.json").read_text())
    if not isinstance(rfs, float) or not math.isfinite(rfs):
        faults.append(f"rfs.json is {rfs}, expected a number")
    return faults


if __name__ == "__main__":
    try:
        found = faults_of(*map(Path, sys.argv[1:]))
    except (OSError, ValueError) as error:  # a file is missing or damaged
        found = [str(error)]
    print("\n".join(found) or "Mask, T and N stage and rfs.json are as HECKTOR 2026 describes them.")
    raise SystemExit(bool(found))
