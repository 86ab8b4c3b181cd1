"""Time of the prediction of one patient, by step: 160^3 voxels of 1 mm, the paper's network.

Phantoms, nnU-Net's plan with the paper's patch (112^3) and stages, and networks with initial weights: their predictions
are meaningless, but take as long as those of trained networks.

    python measurements/predict_patient.py WORK_FOLDER -o measurements/results/predict_patient.json [--mirroring]

The memory is the peak of the process after each patient; it must not grow with their number. With -device cuda the
peak of the GPU's memory is given too.
"""

import argparse
import json
import os
import resource
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nnunetv2_adamss.common.processes import program_of
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset

N_TRAINING, SIDE, PATCH = 12, 160, 112
QUICK_SIDE, QUICK_PATCH = 40, 32
CONFIG = PhantomCohortConfig(
    n_training=N_TRAINING,
    n_test=2,
    shape=(SIDE,) * 3,
    spacing_mm=(1, 1, 1),
    censoring_fraction=0.3,
    dataset_id=997,
)
# The same 160 mm.
QUICK_CONFIG = replace(CONFIG, shape=(QUICK_SIDE,) * 3, spacing_mm=(SIDE / QUICK_SIDE,) * 3)
STAGES, STRIDE, KERNEL = 5, [2, 2, 2], [3, 3, 3]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="(without: only phantoms and plan are made)")
    parser.add_argument("--mirroring", action="store_true", help="predict masks with it: eight times as long")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SIDE}^3 voxels: whether it runs")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    work = args.work.resolve()
    os.environ.update({f"nnUNet_{name}": str(work / name) for name in ("raw", "preprocessed", "results")})
    config, patch = (QUICK_CONFIG, QUICK_PATCH) if args.quick else (CONFIG, PATCH)
    prepare(work, config, patch)
    if args.output is None:
        return
    model_folder = save_networks()
    rows = predict(work, model_folder, args.mirroring, args.device)
    settings = {"mirroring": args.mirroring, "device": args.device, "side": config.shape[0]}
    args.output.write_text(json.dumps({"settings": settings, "patients": rows}, indent=2))
    for row in rows:
        print(row)


def prepare(work: Path, config: PhantomCohortConfig, patch: int) -> None:
    """Make phantoms, preprocessed, and a plan of the paper's size."""
    folder = work / "preprocessed" / CONFIG.folder_name
    if (folder / "splits_final.json").is_file():
        return
    if not (work / "raw" / config.folder_name).is_dir():
        write_phantom_dataset(config, work / "raw", num_processes=os.cpu_count() or 1)
    command = program_of("nnUNetv2_plan_and_preprocess")
    subprocess.run([command, "-d", str(config.dataset_id), "-c", "3d_fullres", "-np", "2"], check=True)
    file = folder / "nnUNetPlans.json"
    plans = json.loads(file.read_text())
    configuration = plans["configurations"]["3d_fullres"]
    configuration["patch_size"] = [patch] * 3
    architecture = configuration["architecture"]["arch_kwargs"]
    architecture |= {"strides": [[1] * 3] + [STRIDE] * (STAGES - 1), "kernel_sizes": [KERNEL] * STAGES}
    file.write_text(json.dumps(plans))
    cases = [f"phantom{i:03d}" for i in range(N_TRAINING)]
    (folder / "splits_final.json").write_text(json.dumps([{"train": cases[:8], "val": cases[8:]}]))


def save_networks() -> Path:
    """Save both stages with initial weights in the folders of trainings; return the model's folder."""
    from nnunetv2_adamss.survival.config import SurvivalConfig
    from nnunetv2_adamss.survival.nnunet_data.dataset import read_plans
    from nnunetv2_adamss.trainers import AdaMSSSegTrainer, AdaMSSSurvTrainer_ImageOnly

    plans, dataset_json = read_plans(CONFIG.folder_name, "nnUNetPlans")

    def make(trainer: Any) -> Any:
        # nnU-Net passes plans with this entry to a trainer, which removes it.
        own_plans = {**plans, "continue_training": False}
        return trainer(own_plans, "3d_fullres", 0, dataset_json, torch.device("cpu"))

    stage_one = make(AdaMSSSegTrainer)
    stage_one.initialize()
    settle_batch_normalisation(stage_one)
    stage_one.inference_allowed_mirroring_axes = (0, 1, 2)  # a result of the training
    # nnU-Net writes these when a training starts.
    folder = Path(stage_one.output_folder)
    for name, content in (("plans", plans), ("dataset", dataset_json)):
        (folder.parent / f"{name}.json").write_text(json.dumps(content))
    stage_one.save_checkpoint(str(folder / "checkpoint_best.pth"))
    stage_two = make(AdaMSSSurvTrainer_ImageOnly)
    SurvivalConfig(mask_source="groundtruth").save(Path(stage_two.output_folder))
    stage_two.initialize()
    stage_two.save_checkpoint(str(Path(stage_two.output_folder) / "checkpoint_best.pth"))
    return Path(stage_two.output_folder).parent


def settle_batch_normalisation(trainer: Any) -> None:
    """Set running statistics by a patch; with initial ones the outputs of so deep a network overflow."""
    norms = [m for m in trainer.network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1
    data = trainer.dataset_class(trainer.preprocessed_dataset_folder).load_case("phantom000")[0]
    patch = trainer.configuration_manager.patch_size[0]
    start = (data.shape[1] - patch) // 2
    middle = slice(start, start + patch)
    with torch.no_grad():
        trainer.network.train()(torch.from_numpy(data[:, middle, middle, middle])[None])
    for norm in norms:
        norm.momentum = 0.1


def predict(work: Path, model_folder: Path, mirroring: bool, device: str) -> list[dict[str, Any]]:
    """Return seconds of each step and peak memory, patient by patient."""
    from nnunetv2_adamss.prediction.predict_patients import PredictionRequest, predict_patients

    images, output = work / "raw" / CONFIG.folder_name / "imagesTs", work / "prediction"
    peaks_gib = {}

    def note_memory(case_id: str) -> None:
        peaks_gib[case_id] = {"peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
        if device == "cuda":
            peaks_gib[case_id]["gpu_peak_gib"] = torch.cuda.max_memory_allocated() / 2**30

    predict_patients(
        PredictionRequest(
            model_folder, images, output, [0], "checkpoint_best.pth", device, mirroring=mirroring
        ),
        on_patient_done=note_memory,
    )
    rows = []
    for case_id, peak in peaks_gib.items():
        content = json.loads((output / "cases" / f"{case_id}.json").read_text())
        seconds = content["prediction"]["seconds"]
        share = seconds["survival"] / seconds["segmentation"]
        rows.append({"case_id": case_id, **seconds, "survival / segmentation": share, **peak})
    return rows


if __name__ == "__main__":
    main()
