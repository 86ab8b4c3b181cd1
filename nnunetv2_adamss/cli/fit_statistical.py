"""``adamss_fit_statistical``: a statistical comparison method or a baseline on a fold, where trainings lie."""

import argparse
import logging
from pathlib import Path
from typing import Any

from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.cli.fold_options import add_mask_options, check_fold_options, mask_settings

# As nnunetv2_adamss.comparison.methods, which takes seconds to import.
METHODS = (
    "lasso_cox",
    "icare",
    "deepmtlr_cox",
    "radio_deepmts",
    "covariates_cox",
    "tumour_volume",
    "suv_max",
)

_GOES_ON_WITH_DEEP = ("deepmtlr_cox", "radio_deepmts")
_OWN_MASKS = {
    "lasso_cox": "the reference masks",
    "icare": "the reference masks",
    "radio_deepmts": "DeepMTS's masks",
}

_EPILOG = """
methods:
  lasso_cox       Lasso-CoxPH: radiomics of the reference masks and clinical indicators
  icare           ICARE: the same, by an ensemble of binary-weighted models
  deepmtlr_cox    DeepMTLR-CoxPH: mean of DeepMTLRTrainer's risk and a clinical Cox model
  radio_deepmts   Radio-DeepMTS: Cox on DeepMTSTrainer's score, radiomics of its masks and clinical indicators;
                  needs all folds of DeepMTSTrainer
  covariates_cox  the Cox model on what AdaMSS gets beside the image
  tumour_volume   the larger, the riskier
  suv_max         the hotter, the riskier

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
    add("--method", choices=METHODS, required=True)
    add("-p", dest="plans", default="nnUNetPlans", help="plans identifier (default: %(default)s)")
    add("-device", choices=["cuda", "cpu", "mps"], default="cuda", help="for missing masks (default: cuda)")
    add("--deep_trainer", metavar="TRAINER", help="variant of the deep method that two methods go on with")
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
    if args["deep_trainer"] and args["method"] not in _GOES_ON_WITH_DEEP:
        parser.error(f"{args['method']} goes on with no deep method, so --deep_trainer means nothing")
    if args["method"] in _OWN_MASKS and {"mask_source", "masks_dir"} & args.keys():
        parser.error(
            f"{args['method']} looks at {_OWN_MASKS[args['method']]}, so --mask_source and --masks_dir mean nothing"
        )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    return exit_code("adamss_fit_statistical", lambda: _run(args), "stopped. Run the same command again.")


def _run(args: dict[str, Any]) -> None:
    from nnunetv2_adamss.comparison.fit import FitRequest, fit_statistical

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
