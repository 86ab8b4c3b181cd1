"""Check and time all parts on one CUDA GPU, in under 8 minutes, on phantoms and real PET/CT.

Parts, in this order; each has a time limit, and runs even if others fail:

- preparation: phantoms of 32^3 and 160^3 voxels and the sarcomas, planned and preprocessed, side by side;
- training step: seconds and memory at 112^3, batch 2, autocast, for AdaMSS and nnU-Net's network by the same plan;
- killed and continued: Stage I, and Stage II as published and anchored, with nnU-Net's defaults, such as torch.compile
  and autocast, killed after their first checkpoint and continued with --c; on the phantoms and, at the same time, on
  the sarcomas;
- waiting for data: the share of Stage II's time;
- predicting a patient: of 160^3 voxels;
- GPU beside CPU: new phantoms predicted by one checkpoint on both;
- full schedule: Stage II with the published 10,000 iterations on the phantoms, whose hazard follows a signal outside
  the tumour. It has the time that is left. --parts "full schedule" gives it all the time.

    python measurements/gpu_check.py WORK_FOLDER -o measurements/results/gpu_check.json

Trainings that are finished are not repeated, so the script can be called again with the same WORK_FOLDER. With -device
cpu --quick all parts run at toy size, as a test without meaningful figures.
"""

import argparse
import json
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import torch
from phantom_project import PLANS, STAGE_ONE, SURVIVAL_TRAINER, Project
from timed_parts import Commands, LeftOut, OutOfTime, Part, PartResult, Rows, run_side_by_side

import nnunetv2_adamss
from nnunetv2_adamss.common.device import torch_device
from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.image_blind_prior import dice, read_foreground

SCRIPTS = Path(__file__).resolve().parent
SARCOMAS = SCRIPTS.parents[1] / "shared" / "data" / "Dataset510_STS"
PLUGIN = Path(nnunetv2_adamss.__file__).parent / "nnunet_plugin"
# Radiomics would take longer than the training and have nothing to do with a GPU.
SHORT_STAGE_TWO = {
    "published": f"{SURVIVAL_TRAINER}_NoRadiomics",
    "anchored": f"{SURVIVAL_TRAINER}_Anchored_ImageOnly",
}
FULL_STAGE_TWO = "AdaMSSSurvTrainer_NoRadiomics"
# Stage II finds this signal within 160 iterations.
SIGNAL = "out_of_tumour_uptake"
PHANTOMS = PhantomCohortConfig(
    n_training=120, n_test=4, shape=(32,) * 3, spacing_mm=(5,) * 3, censoring_fraction=0.3, signals_on=(SIGNAL,),
    log_hazard_ratio={SIGNAL: 1.0}, dataset_id=996,
)  # fmt: skip
# The data of this project exist already, so only the name of the cohort is used.
STS = PhantomCohortConfig(dataset_id=510, dataset_name="STS")
STEP_SIZE, QUICK_STEP_SIZE = "112", "16"
STEP_VARIANTS = [
    (n, layout) for layout in ("contiguous", "channels-last", "compiled") for n in ("AdaMSS", "nnU-Net")
]
QUICK_PHANTOMS = 16
MINUTES = 7.5


@dataclass(frozen=True)
class Check:
    """The parts and their common settings.

    Args:
        work: folder for data, trainings and logs.
        device: cpu or cuda.
        quick: whether everything has toy size.
        sarcomas: their raw data set.
    """

    work: Path
    device: str
    quick: bool
    sarcomas: Path

    @property
    def groups(self) -> tuple[tuple[Part, ...], ...]:
        """All parts in their order; those of a group run side by side."""
        return (
            (
                Part("preparation phantoms", 100, self.prepare_phantoms),
                Part("preparation patient", 100, partial(self.patient, only_prepare=True)),
                Part("preparation sarcomas", 100, self.prepare_sarcomas),
            ),
            (Part("training step", 170, self.training_step),),
            (
                Part("killed and continued phantoms", 240, self.killed_phantoms),
                Part("killed and continued sarcomas", 240, self.killed_sarcomas),
            ),
            (Part("waiting for data", 60, self.waiting),),
            (Part("predicting a patient", 60, self.patient),),
            (Part("GPU beside CPU", 90, self.beside_cpu),),
            (Part("full schedule", 460, self.full_schedule),),
        )

    # ------------------------------------------------------------------------------------- data

    def prepare_phantoms(self, commands: Commands, rows: Rows) -> None:
        project = self.phantoms(commands)
        project.preprocess(1)
        rows["plan"] = plan_of(project)

    def prepare_sarcomas(self, commands: Commands, rows: Rows) -> None:
        project = self.real_data(commands)
        project.preprocess(1)
        rows["plan"] = plan_of(project)

    def phantoms(self, commands: Commands) -> "TimedProject":
        n_training = QUICK_PHANTOMS if self.quick else PHANTOMS.n_training
        config = replace(PHANTOMS, n_training=n_training)
        return TimedProject(self.work / "phantoms", config, self.device, commands, self.environment)

    def real_data(self, commands: Commands) -> "TimedProject":
        if self.quick:
            raise LeftOut("not at toy size")
        if not self.sarcomas.is_dir():
            raise LeftOut(f"there is no {self.sarcomas}")
        project = TimedProject(self.work / "sarcomas", STS, self.device, commands, self.environment)
        if not project.raw.exists():
            project.raw.parent.mkdir(parents=True, exist_ok=True)
            project.raw.symlink_to(self.sarcomas.resolve())
        return project

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which nnU-Net finds the trainers, and few processes and passive threads at toy size."""
        if not self.quick:
            return {"nnUNet_extTrainer": str(PLUGIN)}
        trainers = os.pathsep.join([str(SCRIPTS / "trainers" / "quick"), str(PLUGIN)])
        processes = {"nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1"}
        # Threads that wait actively, as nnUNetv2_train's on all cores do, slow down all other processes.
        return {"nnUNet_extTrainer": trainers, "OMP_WAIT_POLICY": "PASSIVE", **processes}

    # ------------------------------------------------------------------------------------ parts

    def training_step(self, commands: Commands, rows: Rows) -> None:
        size, file = QUICK_STEP_SIZE if self.quick else STEP_SIZE, self.work / "training_step.json"
        failures = []
        for network, layout in STEP_VARIANTS:
            which = ("--variant", network, layout, "--sizes", size, "--modes", "training_step")
            try:
                self.run_script(commands, "network_step.py", *which, "-device", self.device, "-o", str(file))
            except RuntimeError as error:
                failures.append(str(error))
                continue
            found = json.loads(file.read_text())
            names = {"seconds": "s", "GiB": "gib", "seconds of the first": "first_s"}
            rows[f"{network}, {layout}"] = {
                name: found[f"training_step_{key}"] for name, key in names.items()
            }
        if failures:
            raise RuntimeError("; ".join(failures))

    def killed_phantoms(self, commands: Commands, rows: Rows) -> None:
        self.kill_both_stages(self.phantoms(commands), rows)

    def killed_sarcomas(self, commands: Commands, rows: Rows) -> None:
        self.kill_both_stages(self.real_data(commands), rows)

    def kill_both_stages(self, project: "TimedProject", rows: Rows) -> None:
        project.preprocess(1)
        stage_one = project.fold_folder(STAGE_ONE)
        project.kill_and_continue(stage_one, lambda: project.train_stage_one(STAGE_ONE))
        validation = json.loads((stage_one / "validation" / "summary.json").read_text())
        rows["Stage I"] = training_figures(stage_one, killed=True)
        rows["Stage I"]["Dice"] = finite(validation["foreground_mean"]["Dice"])
        for name, trainer in SHORT_STAGE_TWO.items():
            stage_two = project.fold_folder(trainer)
            project.kill_and_continue(stage_two, partial(project.train, trainer, 0))
            rows[f"Stage II, {name}"] = training_figures(stage_two, killed=True) | c_indices(stage_two)

    def waiting(self, commands: Commands, rows: Rows) -> None:
        project, file = self.phantoms(commands), self.work / "data_wait.json"
        project.prepare(1)
        length = ("-n", "3", "--rounds", "1") if self.quick else ("-n", "100", "--rounds", "3")
        self.run_script(
            commands, "data_wait.py", project.dataset_id, "-p", PLANS, "-seg_tr", STAGE_ONE,
            "-tr", SHORT_STAGE_TWO["published"],
            "-device", self.device, *length, "-o", str(file), environment=project.variables,
        )  # fmt: skip
        rounds = json.loads(file.read_text())["rounds"]
        names = {"share": "share", "milliseconds an iteration": "iteration_ms"}
        rows["Stage II on phantoms"] = {
            name: median(one[key] for one in rounds) for name, key in names.items()
        }

    def patient(self, commands: Commands, rows: Rows, *, only_prepare: bool = False) -> None:
        file = self.work / "predict_patient.json"
        options = ["-device", self.device] + ["--quick"] * self.quick
        options += [] if only_prepare else ["-o", str(file)]
        self.run_script(commands, "predict_patient.py", str(self.work / "patient"), *options)
        if only_prepare:
            return
        patients = json.loads(file.read_text())["patients"]
        for number, row in zip(("first", "second"), patients, strict=True):
            steps = {f"{name} seconds": row[name] for name in ("preprocessing", "segmentation", "survival")}
            memory = {"GiB": row["peak_gib"]}
            if "gpu_peak_gib" in row:
                memory["GiB on the GPU"] = row["gpu_peak_gib"]
            rows[f"{number} patient"] = steps | memory

    def beside_cpu(self, commands: Commands, rows: Rows) -> None:
        project = self.phantoms(commands)
        project.prepare(1)
        for name, trainer in SHORT_STAGE_TWO.items():
            project.train(trainer, 0)
            predicted = [self.predict_new(project, trainer, device) for device in (self.device, "cpu")]
            rows[f"largest difference, {name}"] = differences(*predicted)

    def predict_new(self, project: "TimedProject", trainer: str, device: str) -> Path:
        """Predict the new phantoms; return the folder, a new one each time."""
        output = Path(mkdtemp(dir=self.work, prefix=f"predicted_{device}_"))
        project.run(
            "adamss_predict_survival", "-i", str(project.raw / "imagesTs"), "-o", str(output),
            "-d", project.dataset_id, "-c", "3d_fullres", "-tr", trainer, "-p", PLANS, "-f", "0",
            "--clinical", str(project.raw / "survival_test.csv"), "-device", device,
        )  # fmt: skip
        return output

    def full_schedule(self, commands: Commands, rows: Rows) -> None:
        project = self.phantoms(commands)
        project.prepare(1)
        folder = project.fold_folder(FULL_STAGE_TWO)
        try:
            project.train(FULL_STAGE_TWO, 0)
        except OutOfTime:
            # How long it would take follows from the epochs that it reached.
            rows["unfinished"] = training_figures(folder)
            raise
        rows["published"] = training_figures(folder) | c_indices(folder)
        rows["true risk"] = {"C-index": true_c_index(project, folder)}

    def run_script(self, commands: Commands, script: str, *arguments: str, environment: Any = None) -> None:
        """Run another script of this folder."""
        variables = self.environment | (environment or {})
        commands.run(sys.executable, str(SCRIPTS / script), *arguments, environment=variables)


class TimedProject(Project):
    """A project whose commands end when the time of a part is over.

    Args:
        commands: of the part.
        environment: variables beside nnU-Net's folders.
    """

    def __init__(
        self,
        root: Path,
        config: PhantomCohortConfig,
        device: str,
        commands: Commands,
        environment: dict[str, str],
    ) -> None:
        super().__init__(root, config, device)
        self.commands = commands
        self.environment = environment
        self.kill_when: Callable[[], bool] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """nnU-Net's folders, and those of the check."""
        return super().variables | self.environment

    def run(self, command: str, *arguments: str) -> None:
        if self.kill_when is None:
            self.commands.run(command, *arguments, environment=self.variables)
        else:
            self.commands.kill(command, *arguments, when=self.kill_when, environment=self.variables)

    def kill_and_continue(self, folder: Path, train: Callable[[], object]) -> None:
        """Kill a training of this fold's folder after its first checkpoint, then let it train to its end."""
        if self.continuing(folder):
            raise LeftOut(f"{folder} holds a training already; choose another work folder")
        self.kill_when = (folder / "checkpoint_latest.pth").is_file
        try:
            train()
        finally:
            self.kill_when = None
        train()


def plan_of(project: Project) -> dict[str, Any]:
    """Return the size of patch and batch."""
    plan = json.loads((project.preprocessed / f"{PLANS}.json").read_text())["configurations"]["3d_fullres"]
    return {"patch": "x".join(map(str, plan["patch_size"])), "batch": plan["batch_size"]}


def training_figures(folder: Path, *, killed: bool = False) -> dict[str, Any]:
    """Read times of epochs from the logs of a training, and check that its losses are finite.

    Args:
        folder: of the fold.
        killed: whether the training was killed once and must have continued from its last epoch.

    Raises:
        RuntimeError: if it did not continue, or if a loss is not finite.
    """
    logs = sorted(folder.glob("training_log_*.txt"), key=lambda file: file.stat().st_mtime)
    texts = [log.read_text() for log in logs]
    epochs = [[int(number) for number in re.findall(r"Epoch (\d+)", text)] for text in texts]
    seconds = [[float(s) for s in re.findall(r"Epoch time: ([\d.]+)", text)] for text in texts]
    losses = [float(loss) for text in texts for loss in re.findall(r"(?:train|val)_loss (\S+)", text)]
    # The network is compiled in the first epoch of a process.
    later = [s for of_one in seconds for s in of_one[1:]]
    figures: dict[str, Any] = {
        "epochs": len({number for of_one in epochs for number in of_one}),
        "seconds an epoch": median(later) if later else None,
        "seconds of the first": seconds[0][0] if seconds and seconds[0] else None,
        "compiled": "yes" if any("Using torch.compile" in text for text in texts) else "no",
    }
    if not all(map(math.isfinite, losses)):
        raise RuntimeError(f"a loss is not finite: {figures}, {losses}")
    if killed:
        figures |= continuation(epochs, seconds)
    return figures


def continuation(epochs: Sequence[Sequence[int]], seconds: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the epoch at which a killed training continued, from epochs and times in its two logs.

    Raises:
        RuntimeError: if it started over or left an epoch out.
    """
    before, after = epochs
    if not (1 <= after[0] <= before[-1] + 1 and list(after) == list(range(after[0], after[-1] + 1))):
        raise RuntimeError(f"killed in epoch {before[-1]}, it continued with epochs {after}")
    return {"continued at": after[0], "seconds of the first then": seconds[1][0]}


def c_indices(folder: Path) -> dict[str, Any]:
    """Return the C-index of the validation cases, by the last and the best epoch."""
    found = json.loads((folder / "survival_summary.json").read_text())["c_index"]
    return {f"C-index, {epoch} epoch": score["c_index"] for epoch, score in found.items()}


def true_c_index(project: Project, folder: Path) -> float | None:
    """Return the C-index of the true risk, on the validation cases of a trained fold."""
    case_ids = pd.read_csv(folder / "validation" / "survival_predictions.csv")["case_id"]
    truth = pd.read_csv(project.raw / "phantom_truth.csv").set_index("case_id").loc[case_ids]
    table = pd.read_csv(project.raw / "survival.csv").set_index("case_id").loc[case_ids]
    risk, event, time = truth["true_risk"], table["event"].astype(bool), table["time"]
    return harrell_c(risk.to_numpy(), event.to_numpy(), time.to_numpy()).c_index


def differences(checked: Path, cpu: Path) -> dict[str, Any]:
    """Measure the differences between two folders of predictions of the same patients."""
    files = [file.relative_to(checked) for file in sorted((checked / "cases").glob("*.json"))]
    pairs = [[conditional_survival(folder / file) for folder in (checked, cpu)] for file in files]
    times = [pd.read_csv(folder / "survival_predictions.csv")["predicted_time"] for folder in (checked, cpu)]
    masks = [
        [read_foreground(folder / "masks" / f"{file.stem}.nii.gz") for folder in (checked, cpu)]
        for file in files
    ]
    return {
        "patients": len(files),
        "conditional survival": max(float(np.abs(a - b).max()) for a, b in pairs),
        "predicted time, relative": float((times[0] / times[1] - 1).abs().max()),
        # Two empty masks are the same and have no Dice.
        "lowest Dice": min(1.0 if np.array_equal(a, b) else dice(a, b) for a, b in masks),
    }


def conditional_survival(file: Path) -> np.ndarray:
    """Read the survival probabilities of a predicted patient, ``(n_intervals,)``."""
    content = json.loads(file.read_text())
    if "failed" in content:
        raise RuntimeError(f"{file.stem} was not predicted: {content['failed']}")
    return np.array(content["prediction"]["folds"]["0"]["survival_prob"])


def finite(value: float) -> float | None:
    """Return the number, or None, since JSON has no NaN."""
    return value if math.isfinite(value) else None


def describe_machine(device: str) -> dict[str, Any]:
    machine: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "CUDA of torch": torch.version.cuda,
        "nnunetv2": version("nnunetv2"),
        "CPUs": os.cpu_count(),
    }
    if device == "cuda":
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        try:
            driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
        except (OSError, subprocess.CalledProcessError, IndexError):
            driver = "unknown"
        gib = torch.cuda.get_device_properties(0).total_memory / 2**30
        machine |= {"GPU": torch.cuda.get_device_name(0), "GPU GiB": round(gib, 1), "driver": driver}
        machine["cuDNN"] = torch.backends.cudnn.version()
    return machine


def print_table(machine: dict[str, Any], results: dict[str, PartResult]) -> None:
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine.items()))
    for name, result in results.items():
        print(f"\n{name:<32}{result.seconds:>6.0f} s  {result.state}")
        for row, figures in result.rows.items():
            cells = ", ".join(f"{key} {in_words(value)}" for key, value in figures.items())
            print(f"  {row:<30}{cells}")


def in_words(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, help="folder for data, trainings and logs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-device", default="cuda", choices=["cuda", "cpu"], help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="everything at toy size, without a time limit")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="most of all (default: %(default)s)")
    parser.add_argument("--sarcomas", type=Path, default=SARCOMAS, help="raw data set (default: %(default)s)")
    parser.add_argument("--parts", nargs="+", metavar="PART", help="only parts that begin so (default: all)")
    args = parser.parse_args()
    try:
        torch_device(args.device, "check")
    except ValueError as error:
        parser.error(str(error))
    check = Check(args.work.resolve(), args.device, args.quick, args.sarcomas)
    end = math.inf if args.quick else monotonic() + 60 * args.minutes
    machine, results = describe_machine(args.device), {}
    settings = {"device": args.device, "quick": args.quick, "minutes": args.minutes, "parts": args.parts}
    for group in check.groups:
        chosen = [p for p in group if not args.parts or p.name.startswith(tuple(args.parts))]
        if args.quick:
            chosen = [replace(part, limit_s=math.inf) for part in chosen]
        results |= run_side_by_side(chosen, check.work / "logs", end)
        for part in chosen:
            print(f"{part.name}: {results[part.name].state}", flush=True)
        parts = {name: asdict(result) for name, result in results.items()}
        write_json(args.output, {"machine": machine, "settings": settings, "parts": parts})
    print_table(machine, results)
    return int(any(result.failed for result in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
