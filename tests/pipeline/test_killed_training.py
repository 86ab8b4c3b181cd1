"""A training that is really killed continues from its last epoch."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import torch

from tests.nnunet_project import NnunetProject, command_line, run_command
from tests.processes import wait_until

pytestmark = pytest.mark.slow

TRAINER_FOLDER = Path(__file__).parents[1] / "trainers" / "short_trainers"
TRAINING = ("901", "3d_fullres", "0", "-tr", "AdaMSSSegTrainer_ThreeEpochs", "-device", "cpu")


def test_a_killed_training_repeats_at_most_the_epoch_in_hand(
    tiny_project: NnunetProject, tmp_path: Path
) -> None:
    environment = tiny_project.environment | {
        "nnUNet_results": str(tmp_path),
        # A trainer of the user's own, in a folder beside ours.
        "nnUNet_extTrainer": str(TRAINER_FOLDER),
    }
    latest = next_checkpoint(environment, tmp_path)
    epochs_done = torch.load(latest, weights_only=True)["current_epoch"]
    assert 1 <= epochs_done < 3

    run_command("nnUNetv2_train", *TRAINING, "--c", environment=environment)

    fold = latest.parent
    resumed_log = max(fold.glob("training_log*"), key=lambda path: path.stat().st_mtime).read_text()
    assert [int(e) for e in re.findall(r"Epoch (\d+)", resumed_log)] == list(range(epochs_done, 3))
    assert {path.name for path in fold.glob("checkpoint*")} == {"checkpoint_best.pth", "checkpoint_final.pth"}
    assert (fold / "validation" / "summary.json").is_file()


def next_checkpoint(environment: dict[str, str], results: Path) -> Path:
    """Train until a checkpoint_latest stands there, then kill the whole process group."""
    training = subprocess.Popen(
        command_line("nnUNetv2_train", *TRAINING),
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: bool(list(results.rglob("checkpoint_latest.pth"))), training)
    finally:
        os.killpg(training.pid, signal.SIGKILL)
        training.wait()
    (found,) = results.rglob("checkpoint_latest.pth")
    return found
