"""``adamss_demo``: from nothing to tumour masks and survival, by the commands a user would type."""

import argparse
import shlex
import sys
from pathlib import Path

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.model_options import DEVICES
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.demo.demo_progress import DemoProgress
from nnunetv2_adamss.demo.demo_steps import LENGTH, DemoFolders, demo_steps
from nnunetv2_adamss.demo.run_demo import StepFailedError, run_steps
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.text import text_of

_EPILOG = f"""
examples:
  adamss_demo                        {LENGTH}
  adamss_demo -o /tmp/demo -device cuda
  adamss_demo -n 20 --n_test 4       smaller
  adamss_demo                        once more, after Ctrl-C: continues where it was

The demo sets nnU-Net's three paths for itself; yours stay as they are. The data are synthetic: the results
show that the software works, not that the method does.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_demo",
        "Make a synthetic PET/CT cohort and train both stages of AdaMSS on it inside nnU-Net.",
        _EPILOG,
    )
    add = parser.add_argument
    add("-o", dest="output", type=Path, default=Path("adamss_demo"), help="folder (default: ./%(default)s)")
    add(
        "-n",
        dest="n_training",
        type=int,
        default=80,
        help="training cases, at least 10 (default: %(default)s)",
    )
    add("--n_test", type=int, default=20, help="held-out cases, at least 1 (default: %(default)s)")
    add("-device", choices=DEVICES, help="default: cuda if there is a GPU, else cpu")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 1 a step failed, 2 a user's error, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    return parser.run(lambda: _run(args), "stopped; start it again to continue from here.")


def _run(args: argparse.Namespace) -> int:
    try:
        with results_only():
            folders, seconds = _run_steps(args)
    except StepFailedError as error:
        print(f"\nadamss_demo: {error}; start the demo again to continue from here.", file=sys.stderr)
        return 1
    _print_results(folders, seconds)
    return 0


def _run_steps(args: argparse.Namespace) -> tuple[DemoFolders, dict[str, float]]:
    """Run the steps that are left; return the folders and the seconds of each step."""
    _check(args)
    folders = DemoFolders(args.output.resolve())
    progress = DemoProgress.begin_or_continue(folders.root, args.n_training, args.n_test)
    steps = demo_steps(folders, args.n_training, args.n_test, args.device or _device())
    progress.check_steps(folders.root, [step.title for step in steps])
    progress.save(folders.root)
    print(f"The demo takes {LENGTH} with the default number of cases.")
    _print_paths(folders.environment)
    run_steps(steps, folders, progress, say=lambda text: print(text, flush=True))
    return folders, progress.seconds


def _check(args: argparse.Namespace) -> None:
    if args.n_training < 10:
        raise ValueError(
            f"-n is {args.n_training}, but three folds with events in each need at least 10 cases."
        )
    if args.n_test < 1:
        raise ValueError(f"--n_test is {args.n_test}, but the demo needs at least 1 held-out case.")


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _print_paths(environment: dict[str, str]) -> None:
    print("It uses these paths; set them to type its commands yourself:\n")
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")


def _print_results(folders: DemoFolders, seconds: dict[str, float]) -> None:
    from nnunetv2_adamss.demo.demo_results import c_index_table, dice_table, example_picture

    picture = folders.root / "held_out_cases.png"
    example_picture(folders, picture)
    durations = [[title, f"{duration:.0f}"] for title, duration in seconds.items()]
    tables = (dice_table(folders), c_index_table(folders), Table("", ["Step", "seconds"], durations))
    print(f"\n{text_of(*tables)}")
    print(f"\nMasks: {folders.masks}\nPicture: {picture}")
    print(f"Survival of held-out patients: {folders.prediction}\nMeasures of it: {folders.evaluation}")
    print(f"Stage I, log and progress plot: {folders.fold}")
    print(f"Stage II, with survival_summary.json and validation/: {folders.survival_fold}")
    print(f"\nReport, to open in a browser: {folders.report}")
