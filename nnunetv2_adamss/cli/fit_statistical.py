"""``adamss_fit_statistical``: a statistical comparison method or a baseline on a fold, where trainings lie."""

import argparse
import logging
from pathlib import Path
from typing import Any

from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.cli.fold_options import add_mask_options, check_fold_options, mask_settings
from nnunetv2_adamss.methods.table import STATISTICAL

_METHODS = "\n".join(
    f"  {name:15} {method.title}: {method.statistical_fit.summary}" for name, method in STATISTICAL.items()
)
_EPILOG = f"""
methods:
{_METHODS}

examples:
  adamss_fit_statistical 510 3d_fullres 0 --method lasso_cox
  adamss_fit_statistical 510 3d_fullres 0 --method tumour_volume -device cpu
  adamss_fit_statistical 510 3d_fullres 0 --method deepmtlr_cox --deep_trainer DeepMTLRTrainer_ShortSchedule

Results lie where trainings' do, such as nnUNet_results/DATASET/LassoCoxPH__PLANS__CONFIGURATION/fold_FOLD, with
model.json, survival_summary.json and validation/survival_predictions.csv; adamss_evaluate_survival -tr LassoCoxPH reads
them.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command's options; those of the settings are absent unless the user gives them."""
    parser = argparse.ArgumentParser(
        prog="adamss_fit_statistical",
        description="Fit a statistical comparison method of the paper's Table I, or a baseline, on a fold.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("dataset", help="nnU-Net's data set id or name")
    add("configuration", help="3d_fullres or 3d_lowres")
    add("fold", help="number of the fold")
    add("--method", choices=tuple(STATISTICAL), required=True)
    add("-p", dest="plans", default="nnUNetPlans", help="plans identifier (default: %(default)s)")
    add("-device", choices=["cuda", "cpu", "mps"], default="cuda", help="for missing masks (default: cuda)")
    add("--deep_trainer", metavar="TRAINER", help="variant of the network that two methods start from")
    add("--overwrite", action="store_true", help="fit anew where there is a fit already")
    add_mask_options(parser)
    add(
        "--survival_csv",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="outcomes (default: survival.csv in the raw data set's folder)",
    )
    add("--seed", type=int, default=argparse.SUPPRESS, help="default: 2024")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, said on stderr, 130 stopped)."""
    parser = build_parser()
    args = vars(parser.parse_args(argv))
    check_fold_options(parser, args)
    if args["fold"] == "all":
        parser.error("fold all leaves no cases to judge a method on; choose a numbered fold")
    _check_method_options(parser, args)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    return exit_code("adamss_fit_statistical", lambda: _run(args), "stopped. Run the same command again.")


def _check_method_options(parser: argparse.ArgumentParser, args: dict[str, Any]) -> None:
    method = STATISTICAL[args["method"]]
    if args["deep_trainer"] and not method.trainer:
        parser.error(f"{method.name} starts from no network, so --deep_trainer means nothing")
    if method.statistical_fit.masks and {"mask_source", "masks_dir"} & args.keys():
        whose = f"the masks of {method.trainer.name}" if method.trainer else "the reference masks"
        parser.error(f"{method.name} looks at {whose}, so --mask_source and --masks_dir mean nothing")


def _run(args: dict[str, Any]) -> None:
    from nnunetv2_adamss.methods.statistical.fit import FitRequest, fit_statistical

    settings = mask_settings(args) | {name: args[name] for name in ("seed",) if name in args}
    if "survival_csv" in args:
        settings["survival_csv"] = str(Path(args["survival_csv"]).resolve())
    request = FitRequest(
        args["dataset"],
        args["configuration"],
        int(args["fold"]),
        args["method"],
        settings,
        plans=args["plans"],
        deep_trainer=args["deep_trainer"],
        device=args["device"],
        overwrite=args["overwrite"],
    )
    for line in fit_statistical(request):
        print(line)


if __name__ == "__main__":
    raise SystemExit(main())
