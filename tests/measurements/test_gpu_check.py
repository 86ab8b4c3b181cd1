"""The check of a GPU, by a CPU at toy size: every part runs to its end and measures what it promises."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "measurements" / "gpu_check.py"

pytestmark = pytest.mark.slow


def test_every_part_runs_at_toy_size(tmp_path: Path) -> None:
    output = tmp_path / "gpu_check.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "work"), "-o", str(output), "-device", "cpu", "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    parts = json.loads(output.read_text())["parts"]
    left_out = {name for name, part in parts.items() if part["state"] != "done"}
    # Real data is not of toy size.
    assert left_out == {"preparation sarcomas", "killed and continued sarcomas"}
    assert all(name in done.stdout for name in parts)

    steps = parts["training step"]["rows"]
    layouts = ("contiguous", "channels-last", "compiled")
    assert set(steps) == {f"{network}, {layout}" for network in ("AdaMSS", "nnU-Net") for layout in layouts}
    assert all(figure > 0 for row in steps.values() for figure in row.values())

    stages = parts["killed and continued phantoms"]["rows"]
    assert set(stages) == {"Stage I", "Stage II, published", "Stage II, anchored"}
    for stage in stages.values():
        assert stage["epochs"] == 3
        assert 1 <= stage["continued at"] < 3
    assert parts["full schedule"]["rows"]["published"]["epochs"] == 2

    assert 0 <= parts["waiting for data"]["rows"]["Stage II on phantoms"]["share"] < 1
    seconds = parts["predicting a patient"]["rows"]["second patient"]
    assert seconds["segmentation seconds"] > 0 < seconds["survival seconds"]

    # Here both are the CPU.
    differences = parts["GPU beside CPU"]["rows"]
    assert set(differences) == {"largest difference, published", "largest difference, anchored"}
    for difference in differences.values():
        assert difference["patients"] == 4
        assert math.isclose(difference["lowest Dice"], 1)
        assert difference["conditional survival"] < 1e-6 > difference["predicted time, relative"]
