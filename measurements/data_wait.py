"""Share of a Stage-II training iteration that is spent waiting for data.

Needs a data set that is planned and preprocessed, a finished Stage I of the fold, and nnU-Net's three variables:

    python measurements/data_wait.py 510 -seg_tr AdaMSSSegTrainer_ShortSchedule -o measurements/results/data_wait.json

Only missing Stage-I masks are written into nnU-Net's folders.
"""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from nnunetv2.utilities.dataset_name_id_conversion import maybe_convert_to_dataset_name

from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.foreign_files.trainer_names import find_trainer
from nnunetv2_adamss.trainers import AdaMSSSurvTrainer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=int)
    parser.add_argument("-f", "--fold", type=int, default=0)
    parser.add_argument("-p", "--plans", default="nnUNetPlans")
    parser.add_argument("-tr", "--trainer", default="AdaMSSSurvTrainer_ImageOnly")
    parser.add_argument("-seg_tr", default="AdaMSSSegTrainer")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("-n", type=int, default=100, help="iterations in a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    # As in nnU-Net's training.
    torch.set_num_threads(1 if args.device == "cuda" else os.cpu_count() or 1)
    torch.backends.cudnn.benchmark = args.device == "cuda"
    trainer = start(args)
    shares = [measure(trainer, args.n) for _ in range(args.rounds)]
    result = {
        "settings": vars(args) | {"output": str(args.output)},
        "device": torch.cuda.get_device_name() if args.device == "cuda" else platform.processor(),
        "workers": os.environ.get("nnUNet_n_proc_DA", "nnU-Net's default"),
        "rounds": shares,
    }
    args.output.write_text(json.dumps(result, indent=2))
    print(f"{'round':>5} {'iteration':>12} {'waiting':>12} {'share':>8}")
    for number, row in enumerate(shares):
        print(f"{number:>5} {row['iteration_ms']:>9.1f} ms {row['waiting_ms']:>9.1f} ms {row['share']:>8.1%}")
    print(f"median share: {np.median([row['share'] for row in shares]):.1%}")


def start(args: argparse.Namespace) -> AdaMSSSurvTrainer:
    """Return a trainer at the start of its first epoch, with its output in a temporary folder."""
    folder = Path(os.environ["nnUNet_preprocessed"]) / maybe_convert_to_dataset_name(args.dataset)
    plans = json.loads((folder / f"{args.plans}.json").read_text()) | {"continue_training": False}
    dataset_json = json.loads((folder / "dataset.json").read_text())
    trainer_class = find_trainer(args.trainer)
    if trainer_class is None:
        raise SystemExit(f"nnU-Net finds no trainer {args.trainer} (-tr).")
    trainer = trainer_class(plans, "3d_fullres", args.fold, dataset_json, torch.device(args.device))
    trainer.output_folder = tempfile.mkdtemp()
    SurvivalConfig(seg_trainer=args.seg_tr).save(Path(trainer.output_folder))
    trainer.initialize()
    trainer.dataloader_train, _ = trainer.get_dataloaders()
    trainer.on_train_epoch_start()
    return trainer


def measure(trainer: AdaMSSSurvTrainer, n_iterations: int) -> dict[str, float]:
    """Measure mean times of one iteration; the first few, which fill caches, are left out."""
    for _ in range(5):
        trainer.train_step(next(trainer.dataloader_train))
    waiting = 0.0
    start_time = perf_counter()
    for _ in range(n_iterations):
        before = perf_counter()
        batch = next(trainer.dataloader_train)
        waiting += perf_counter() - before
        trainer.train_step(batch)
    iteration = perf_counter() - start_time
    return {
        "iteration_ms": 1000 * iteration / n_iterations,
        "waiting_ms": 1000 * waiting / n_iterations,
        "share": waiting / iteration,
    }


if __name__ == "__main__":
    main()
