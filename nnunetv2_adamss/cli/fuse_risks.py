"""``adamss_fuse_risks``: one risk of several models, by the mean of the ranks."""

import argparse
import sys
from pathlib import Path

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_cross_validation, check_inputs, folder_of_model
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_checkpoint_option,
    add_folds_option,
    add_model_options,
    add_trainer_options,
    check_numbered_folds,
    checkpoint_name,
)
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, PREDICTIONS_FILE

_DESCRIPTION = """\
Fuse the risks of new patients by several models: a patient's fused risk is the mean of the ranks by each model, so the
models need no common unit. Patients are ranked among each other, or with --reference among the training cohort, so that
one patient alone can be fused too. With -d, write such a reference.
"""

_EPILOG = f"""\
examples:
  adamss_fuse_risks --predictions OUT/survival_predictions.csv icare.csv lasso.csv -o fused.csv
  adamss_fuse_risks -d 25 -c 3d_fullres -tr AdaMSSSurvTrainer_Anchored -o adamss_training.csv
  adamss_fuse_risks -d 25 -c 3d_fullres -tr ICARE -o icare_training.csv
  adamss_fuse_risks --predictions OUT/survival_predictions.csv icare.csv \\
                    --reference adamss_training.csv icare_training.csv -o fused.csv

{PLAN_OF_README}

All files have case_id and risk_score (higher = earlier event). For --reference, predict new patients with
adamss_predict_survival --no_calibration, by the same checkpoint (-chk).
Exit code: 0 done, 1 done without the patients that are named, 2 nothing done.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_fuse_risks",
        _DESCRIPTION,
        _EPILOG,
        usage="%(prog)s --predictions CSV CSV [CSV ...] [--reference CSV CSV [CSV ...]] -o CSV\n"
        "       %(prog)s -d DATASET -c CONFIGURATION [-tr TRAINER] -o CSV",
    )
    add = parser.add_argument
    add(
        "--predictions",
        type=Path,
        nargs="+",
        metavar="CSV",
        help="risks of new patients, a file for each model",
    )
    add(
        "--reference", type=Path, nargs="+", default=[], metavar="CSV",
        help="out-of-fold risks of the training cohort by these models, in the same order",
    )  # fmt: skip
    add("-o", dest="output", type=Path, required=True, metavar="CSV", help="file that is written")
    add(
        "--hecktor_submission",
        action="store_true",
        help="name the columns PatientID and Prediction, as HECKTOR's leaderboards do",
    )
    group = parser.add_argument_group("out-of-fold risks of a model, as a reference")
    add_model_options(group)
    add_trainer_options(group)
    add_folds_option(group)
    add_checkpoint_option(group)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 1 patients are left out, 2 a user's error, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(lambda: _fuse(args) if args.predictions else _write_reference(args))


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if bool(args.predictions) == bool(args.dataset):
        parser.error("give either --predictions or -d")
    if args.dataset and not args.configuration:
        parser.error("-d needs -c")
    if args.dataset and (args.reference or args.hecktor_submission):
        parser.error("--reference and --hecktor_submission go with --predictions")
    if args.predictions and len(args.predictions) < 2:
        parser.error("--predictions needs the files of two models at least")
    if args.reference and len(args.reference) != len(args.predictions):
        parser.error(
            f"--reference has {len(args.reference)} files, but --predictions {len(args.predictions)}; give one for each"
        )
    check_numbered_folds(parser, args.folds)


def _fuse(args: argparse.Namespace) -> int:
    check_inputs([*args.predictions, *args.reference])

    from nnunetv2_adamss.common.messages import listed
    from nnunetv2_adamss.methods.statistical.fuse_risk_files import fuse_risk_files
    from nnunetv2_adamss.prediction.hecktor.submission import RISK_COLUMNS

    fused, left_out = fuse_risk_files(args.predictions, args.reference)
    fused.write(args.output, *([RISK_COLUMNS] if args.hecktor_submission else []))
    print(f"Fused risks of {len(fused.case_ids)} patients: {args.output}")
    if not left_out:
        return 0
    print(
        f"{len(left_out)} patient(s) are left out, since a file has no finite risk of them: {listed(left_out)}",
        file=sys.stderr,
    )
    return 1


def _write_reference(args: argparse.Namespace) -> None:
    check_cross_validation(args, PREDICTIONS_FILE)
    name = checkpoint_name(args.checkpoint, args.folds[0])
    epochs = {file: epoch for epoch, file in CHECKPOINTS.items()}
    if name not in epochs:
        raise ValueError(
            f"Out-of-fold predictions are kept of {' and '.join(epochs)} only, not of {name} (-chk)."
        )

    from nnunetv2_adamss.methods.statistical.out_of_fold_risks import out_of_fold_risks

    risks = out_of_fold_risks(folder_of_model(args), [int(fold) for fold in args.folds], epochs[name])
    risks.write(args.output)
    print(f"Out-of-fold risks of {len(risks.case_ids)} patients: {args.output}")


if __name__ == "__main__":
    raise SystemExit(main())
