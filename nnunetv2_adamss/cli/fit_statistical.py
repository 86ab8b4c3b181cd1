"""``adamss_fit_statistical``: fit a statistical comparison method or a baseline on a fold."""

import argparse
from pathlib import Path
from typing import Any

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs, check_planned, check_trainer
from nnunetv2_adamss.cli.fold_options import add_mask_options, check_fold_options, mask_settings
from nnunetv2_adamss.cli.former_spellings import MASKS_DIR, Renamed
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_device_option,
    add_fold_arguments,
    add_plans_option,
)
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.methods.table import STATISTICAL_BY_RESULTS, results_name

_SUMMARIES = "\n".join(
    f"  {name:15} {method.title}: {method.statistical_fit.summary}"
    for name, method in STATISTICAL_BY_RESULTS.items()
)
_EPILOG = f"""
methods:
{_SUMMARIES}

examples:
  adamss_fit_statistical 510 3d_fullres 0 -tr LassoCoxPH
  adamss_fit_statistical 510 3d_fullres 0 -tr TumourVolume -device cpu
  adamss_fit_statistical 510 3d_fullres 0 -tr DeepMTLRCoxPH --deep_trainer DeepMTLRTrainer_ShortSchedule

{PLAN_OF_README}

Results lie where trainings' do, such as nnUNet_results/DATASET/LassoCoxPH__PLANS__CONFIGURATION/fold_FOLD, with
model.json, survival_summary.json and validation/survival_predictions.csv; adamss_evaluate_survival -tr LassoCoxPH reads
them.
"""


def build_parser() -> CommandParser:
    """Return the parser; options of the settings that the user does not give are absent from its result."""
    parser = CommandParser(
        "adamss_fit_statistical",
        "Fit a statistical comparison method of the paper's Table I, or a baseline, on a fold.",
        _EPILOG,
        [
            Renamed(
                "--method", "-tr", {method.name: name for name, method in STATISTICAL_BY_RESULTS.items()}
            ),
            MASKS_DIR,
        ],
    )
    add = parser.add_argument
    add_fold_arguments(parser, fold="number of the fold")
    add(
        "-tr",
        dest="method",
        metavar="NAME",
        choices=tuple(STATISTICAL_BY_RESULTS),
        required=True,
        help="one of the methods below",
    )
    add_plans_option(parser)
    add_device_option(parser, "for missing masks (default: %(default)s)")
    add("--deep_trainer", metavar="TRAINER", help="variant of the network that two methods start from")
    add("--overwrite", action="store_true", help="replace a fit that is there already")
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
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr, 130 stopped)."""
    parser = build_parser()
    args = vars(parser.parse_args(argv))
    check_fold_options(parser, args)
    if args["fold"] == "all":
        parser.error("fold all leaves no cases to evaluate a method on; choose a numbered fold")
    _check_method_options(parser, args)
    return parser.run(lambda: _run(args), "stopped. Run the same command again.")


def _check_method_options(parser: argparse.ArgumentParser, args: dict[str, Any]) -> None:
    method = STATISTICAL_BY_RESULTS[args["method"]]
    if args["deep_trainer"] and not method.trainer:
        parser.error(f"{args['method']} starts from no network, so --deep_trainer has no effect")
    if method.statistical_fit.masks and {"mask_source", "masks_dir"} & args.keys():
        whose = f"the masks of {method.trainer.name}" if method.trainer else "the reference masks"
        parser.error(f"{args['method']} uses {whose}, so --mask_source and --masks have no effect")


def _run(args: dict[str, Any]) -> None:
    check_inputs([args.get("survival_csv")], [args.get("masks_dir")])
    check_planned(args["dataset"], args["plans"], args["configuration"], [args["fold"]])
    if "seg_trainer" in args:
        check_trainer(args["seg_trainer"], "-seg_tr")
    if args["deep_trainer"]:
        check_trainer(args["deep_trainer"], "--deep_trainer")
        results_name(STATISTICAL_BY_RESULTS[args["method"]].name, args["deep_trainer"])

    from nnunetv2_adamss.methods.statistical.fit import FitRequest, fit_statistical

    settings = mask_settings(args) | {name: args[name] for name in ("seed",) if name in args}
    if "survival_csv" in args:
        settings["survival_csv"] = str(Path(args["survival_csv"]).resolve())
    request = FitRequest(
        args["dataset"],
        args["configuration"],
        int(args["fold"]),
        STATISTICAL_BY_RESULTS[args["method"]].name,
        settings,
        plans=args["plans"],
        deep_trainer=args["deep_trainer"],
        device=args["device"],
        overwrite=args["overwrite"],
    )
    with results_only():
        lines = fit_statistical(request)
    for line in lines:
        print(line)


if __name__ == "__main__":
    raise SystemExit(main())
