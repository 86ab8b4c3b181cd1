"""Stage I against nnU-Net's default trainer: equal iterations, the same folds, real PET/CT.

Needs a planned and preprocessed data set and nnU-Net's three variables. Trainings that are finished are not
repeated, so a killed run can be started again:

    python measurements/segmentation_dice.py 510 -o measurements/results/segmentation_dice.json
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import numpy as np

from nnunetv2_adamss.metrics.image_blind_prior import ImageBlindPrior, dice, read_foreground

TRAINERS = ("AdaMSSSegTrainer_ShortSchedule", "nnUNetTrainer_480Iterations")
N_RESAMPLES = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="number of the data set")
    parser.add_argument("-f", "--folds", nargs="+", default=["0", "1", "2", "3", "4"])
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    trainer_folder = str(Path(__file__).parent.resolve() / "trainers")
    os.environ["nnUNet_extTrainer"] = os.pathsep.join([trainer_folder, os.environ["nnUNet_extTrainer"]])

    dice_of: dict[str, dict[str, float]] = {name: {} for name in row_names()}
    minutes = dict.fromkeys(TRAINERS, 0.0)
    for fold in args.folds:
        for trainer in TRAINERS:
            results = train_and_validate(args.dataset, fold, trainer, args.device)
            dice_of[f"{trainer}, last epoch"] |= results["last"]
            dice_of[f"{trainer}, checkpoint_best"] |= results["best"]
            minutes[trainer] += results["minutes"]
        dice_of["image-blind prior"] |= dice_of_prior(args.dataset, int(fold))
    write_and_print(args.output, dice_of, minutes, args.folds)


def row_names() -> list[str]:
    return [f"{t}, {c}" for t in TRAINERS for c in ("last epoch", "checkpoint_best")] + ["image-blind prior"]


def dataset_folder(root: str, dataset: str) -> Path:
    return next(Path(os.environ[root]).glob(f"Dataset{int(dataset):03d}_*"))


def train_and_validate(dataset: str, fold: str, trainer: str, device: str) -> dict:
    """Return the Dice by case of the last and the best epoch, from the results file or by training."""
    folder = dataset_folder("nnUNet_preprocessed", dataset).name
    fold_folder = Path(
        os.environ["nnUNet_results"], folder, f"{trainer}__nnUNetPlans__3d_fullres", f"fold_{fold}"
    )
    finished = fold_folder / "benchmark_dice.json"
    if finished.is_file():
        return json.loads(finished.read_text())
    command = [str(Path(sys.executable).parent / "nnUNetv2_train"), dataset, "3d_fullres", fold]
    command += ["-tr", trainer, "-device", device]
    start = monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    results: dict = {"minutes": (monotonic() - start) / 60, "last": dice_by_case(fold_folder)}
    subprocess.run([*command, "--val", "--val_best"], check=True, stdout=subprocess.DEVNULL)
    results["best"] = dice_by_case(fold_folder)
    finished.write_text(json.dumps(results))
    return results


def dice_by_case(fold_folder: Path) -> dict[str, float]:
    """Read the mean Dice over the labels, by case, from nnU-Net's final validation."""
    summary = json.loads((fold_folder / "validation" / "summary.json").read_text())
    return {
        Path(case["prediction_file"]).name.split(".")[0]: float(
            np.mean([metrics["Dice"] for metrics in case["metrics"].values()])
        )
        for case in summary["metric_per_case"]
    }


def dice_of_prior(dataset: str, fold: int) -> dict[str, float]:
    """Return the foreground Dice of the mean training mask, by validation case."""
    preprocessed = dataset_folder("nnUNet_preprocessed", dataset)
    split = json.loads((preprocessed / "splits_final.json").read_text())[fold]
    masks = {
        case: read_foreground(preprocessed / "gt_segmentations" / f"{case}.nii.gz")
        for case in split["train"] + split["val"]
    }
    prior = ImageBlindPrior([masks[case] for case in split["train"]])
    return {case: dice(masks[case], prior.predict(masks[case].shape)) for case in split["val"]}


def mean_with_interval(values: np.ndarray) -> list[float]:
    """Return the mean and its 95% bootstrap interval over cases."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (N_RESAMPLES, len(values))).mean(axis=1)
    return [float(values.mean()), *np.quantile(means, [0.025, 0.975]).tolist()]


def write_and_print(output: Path, dice_of: dict, minutes: dict[str, float], folds: list[str]) -> None:
    cases = sorted(dice_of["image-blind prior"])
    values = {name: np.array([by_case[case] for case in cases]) for name, by_case in dice_of.items()}
    rows = {name: mean_with_interval(by_case) for name, by_case in values.items()}
    for checkpoint in ("last epoch", "checkpoint_best"):
        ours, theirs = (values[f"{trainer}, {checkpoint}"] for trainer in TRAINERS)
        rows[f"AdaMSS less nnU-Net, paired, {checkpoint}"] = mean_with_interval(ours - theirs)
    print(
        f"Mean Dice over {len(cases)} validation cases of folds {' '.join(folds)} [95% interval over cases]\n"
    )
    for name, (mean, low, high) in rows.items():
        print(f"{name:60s} {mean:6.3f} [{low:6.3f}, {high:6.3f}]")
    for trainer, total in minutes.items():
        print(f"{trainer:60s} {total / len(folds):6.1f} minutes a fold")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps({"rows": rows, "minutes": minutes, "folds": folds, "dice_by_case": dice_of}, indent=1)
    )


if __name__ == "__main__":
    main()
