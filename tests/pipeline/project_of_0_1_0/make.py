"""Make the project with the code of version 0.1.0 and pack it: ``python -m tests.pipeline.project_of_0_1_0.make``.

Run from the repository's folder, whose history holds that code. Made once; a later version must get along with it.
"""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from tests.nnunet_project import command_line
from tests.pipeline.project_of_0_1_0.commands import (
    ARCHIVE,
    CALIBRATED,
    DATASET,
    FOLDER,
    KILLED_FOLD,
    MODEL,
    PREDICTIONS,
    PUBLISHED_TRAINERS,
    SEG_TRAINER,
    STATISTICAL_METHODS,
    TRAINED_FOLDS,
    TRAINER,
    ProjectOf010,
)
from tests.processes import wait_until

COMMIT_OF_0_1_0 = "a3061fe"
FEATURES = "few_features.yaml"
# A network of 130 kB: two stages, and most convolutions of one voxel. Users may edit a plan, too.
SMALL_NETWORK = {"n_stages": 2, "strides": [[1, 1, 1], [2, 2, 2]], "kernel_sizes": [[1, 3, 3], [1, 1, 1]]}
SETTINGS = (
    "-seg_tr", SEG_TRAINER, "--n_intervals", "4", "--feature_selection", "none", "--clinical_selection", "none",
)  # fmt: skip
# The plan does not decide on the size of these networks of 1 and 5 million weights: so many of them stay, the largest.
KEPT_WEIGHTS = {"MDSNProxyTrainer_ShortSchedule": 0.2, "DeepMTLRTrainer_ShortSchedule": 0.05}
# Pictures are large and not compared; the other file describes the machine.
LEFT_OUT = ("*.png", "debug.json")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        code, root = Path(temporary, "code"), Path(temporary, "project")
        _unpack_code(code)
        root.mkdir()
        shutil.copy(FOLDER / FEATURES, root)
        plugin = str(code / "nnunetv2_adamss" / "nnunet_plugin")
        project = ProjectOf010.below(root, plugin, PYTHONPATH=str(code))
        _prepare(project)
        for fold in (*TRAINED_FOLDS, KILLED_FOLD):
            _train_stage_one(project, fold)
        _train_stage_two(project)
        _answer(project)
        _pack(project)


def _unpack_code(folder: Path) -> None:
    archive = subprocess.run(
        ["git", "archive", COMMIT_OF_0_1_0, "nnunetv2_adamss"], stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")


def _prepare(project: ProjectOf010) -> None:
    """Images, plan and splits."""
    print("images and plan")
    project.run(
        "adamss_make_phantom_dataset", "-o", str(project.nnunet.raw), "-d", MODEL[0], "--name", "OfVersion010",
        "-n", "24", "--n_test", "2", "--shape", "32", "32", "32", "--spacing", "5", "5", "5", "--censoring", "0.2",
        "--centres", "2",
    )  # fmt: skip
    for file in project.raw.glob("images*/*.nii.gz"):
        _make_compressible(file)
    # The planner needs a worker.
    project.run(
        "nnUNetv2_plan_and_preprocess", "-d", MODEL[0], "-c", MODEL[1], "-npfp", "2", "-np", "2", nnUNet_n_proc_DA="1"
    )  # fmt: skip
    file = project.nnunet.preprocessed / DATASET / "nnUNetPlans.json"
    plans = json.loads(file.read_text())
    plans["configurations"][MODEL[1]]["architecture"]["arch_kwargs"] |= SMALL_NETWORK
    plans["configurations"][MODEL[1]]["batch_size"] = 2
    file.write_text(json.dumps(plans))
    project.run("adamss_make_splits", MODEL[0], "-k", "3")


def _make_compressible(file: Path) -> None:
    """Round the voxels, since most of a file is their noise."""
    image = sitk.ReadImage(str(file))
    step = 16 if file.name.endswith("_0000.nii.gz") else 0.25  # HU and SUV
    array = sitk.GetArrayFromImage(image)
    rounded = sitk.GetImageFromArray((np.round(array / step) * step).astype(array.dtype))
    rounded.CopyInformation(image)
    sitk.WriteImage(rounded, str(file))


def _train_stage_one(project: ProjectOf010, fold: str) -> None:
    print(f"Stage I, fold {fold}")
    project.run("nnUNetv2_train", *MODEL, fold, "-tr", SEG_TRAINER, "-device", "cpu")
    for checkpoint in project.fold(fold, SEG_TRAINER).glob("checkpoint_*.pth"):
        _make_checkpoint_compressible(checkpoint)
    _extract_radiomics(project, fold, "predicted")


def _extract_radiomics(project: ProjectOf010, fold: str, masks: str) -> None:
    project.run(
        "adamss_extract_radiomics", *MODEL, fold, "-seg_tr", SEG_TRAINER, "--mask_source", masks,
        "--settings", str(project.nnunet.root / FEATURES), "-device", "cpu", "-np", "1",
    )  # fmt: skip


def _make_checkpoint_compressible(file: Path, kept: float = 1) -> None:
    """Round the weights to half their digits and forget the optimiser's moments; the training is over.

    Args:
        file: the checkpoint.
        kept: share of the largest weights of each tensor that stay, all others become 0.
    """
    checkpoint = torch.load(file, weights_only=True)
    weights = checkpoint["network_weights"]
    checkpoint["network_weights"] = {name: _rounded(tensor, kept) for name, tensor in weights.items()}
    for state in checkpoint["optimizer_state"]["state"].values():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name].zero_()
    torch.save(checkpoint, file)


def _rounded(tensor: torch.Tensor, kept: float) -> torch.Tensor:
    if not tensor.is_floating_point() or tensor.dtype == torch.float64:
        return tensor
    if kept < 1 and tensor.ndim > 1:
        n_small = int((1 - kept) * tensor.numel())
        tensor = torch.where(
            tensor.abs() > tensor.abs().flatten().kthvalue(max(n_small, 1)).values, tensor, 0.0
        )
    return tensor.bfloat16().to(tensor.dtype)


def _train_stage_two(project: ProjectOf010) -> None:
    for fold in TRAINED_FOLDS:
        print(f"Stage II, fold {fold}")
        _train_to_the_end(project, fold, TRAINER)
    _kill_training(project)
    for trainer in PUBLISHED_TRAINERS:
        print(trainer)
        _train_to_the_end(project, "0", trainer, "--epochs", "1")


def _train_to_the_end(project: ProjectOf010, fold: str, trainer: str, *options: str) -> None:
    folder = project.fold(fold, trainer)
    project.train(fold, *SETTINGS, *options, trainer=trainer)
    for checkpoint in folder.glob("checkpoint_*.pth"):
        if checkpoint.name == "checkpoint_best.pth" and trainer in KEPT_WEIGHTS:
            checkpoint.unlink()
        else:
            _make_checkpoint_compressible(checkpoint, KEPT_WEIGHTS.get(trainer, 1))
    # Of the whole weights.
    shutil.rmtree(folder / "validation")
    project.train(fold, "--val", trainer=trainer)


def _kill_training(project: ProjectOf010) -> None:
    """End a training, for real, after its second epoch."""
    print(f"Stage II, fold {KILLED_FOLD}, killed")
    folder = project.fold(KILLED_FOLD)
    arguments = (*MODEL, KILLED_FOLD, "-tr", TRAINER, "-device", "cpu", *SETTINGS)
    training = subprocess.Popen(
        command_line("adamss_finetune_survival", *arguments),
        env=os.environ | project.nnunet.environment | project.environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(
            lambda: any("Epoch 2" in log.read_text() for log in folder.glob("training_log*")), training
        )
    finally:
        os.killpg(training.pid, signal.SIGKILL)
        training.wait()
    assert (folder / "checkpoint_latest.pth").is_file() and not (folder / "checkpoint_final.pth").is_file()


def _answer(project: ProjectOf010) -> None:
    """What 0.1.0 makes of these trainings."""
    print("answers")
    answers = project.answers
    answers.mkdir()
    (answers / "calibration.txt").write_text(project.calibrate())
    project.evaluate(answers / "evaluation")
    for name in PREDICTIONS:
        project.predict(name, answers / name)
    project.run(
        "adamss_extract_radiomics", "-i", str(project.raw / "imagesTs"), "-m", str(project.raw / "labelsTs"),
        "-o", str(answers / "radiomics_of_new_patients.csv"), "--settings", str(project.nnunet.root / FEATURES),
        "-np", "1",
    )  # fmt: skip
    _extract_radiomics(project, "0", "groundtruth")
    for method in STATISTICAL_METHODS:
        project.run(
            "adamss_fit_statistical",
            *MODEL,
            "0",
            "--method",
            method,
            "-seg_tr",
            SEG_TRAINER,
            "-device",
            "cpu",
        )
        project.predict_statistical(method, answers / f"{method}.csv")
    project.report(answers / CALIBRATED, answers / "report.html")
    _remove_pictures(answers / "report.html")
    # The killed training continues in a copy, so that it is still a killed one in the archive.
    folder, kept = project.fold(KILLED_FOLD), project.nnunet.root / "kept"
    shutil.copytree(folder, kept)
    project.train(KILLED_FOLD, "--c")
    shutil.copytree(folder / "validation", answers / "resumed")
    shutil.rmtree(folder)
    kept.rename(folder)


def _remove_pictures(page: Path) -> None:
    page.write_text(re.sub(r'src="data:[^"]*"', 'src=""', page.read_text()))


def _pack(project: ProjectOf010) -> None:
    """With the files' times, by which the package knows whether radiomics are older than their masks."""
    root = project.nnunet.root
    files = [file for file in root.rglob("*") if file.is_file() and not any(map(file.match, LEFT_OUT))]
    with tarfile.open(ARCHIVE, "w:xz", preset=9) as tar:
        # Alike files beside each other are smaller.
        for file in sorted(files, key=lambda file: (file.suffix, file.name, file)):
            tar.add(file, str(file.relative_to(root)), filter=_without_owner)
    print(f"{ARCHIVE}: {ARCHIVE.stat().st_size / 1e6:.1f} MB")


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    return member.replace(uid=0, gid=0, uname="", gname="", deep=False)


if __name__ == "__main__":
    main()
