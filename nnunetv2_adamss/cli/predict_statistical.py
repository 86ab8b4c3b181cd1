"""``adamss_predict_statistical``: predict new patients by a statistical comparison method or a baseline."""

import argparse
from pathlib import Path

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs, folder_of_model
from nnunetv2_adamss.cli.former_spellings import MASKS
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_folds_option,
    add_model_options,
    add_plans_option,
    check_numbered_folds,
)
from nnunetv2_adamss.methods.table import check_results_name
from nnunetv2_adamss.trained_folds.fold_files import MODEL_FILE

_EPILOG = f"""
examples:
  adamss_extract_radiomics -i imagesTs --masks labelsTs -o radiomics.csv
  adamss_predict_statistical -d 510 -c 3d_fullres -tr LassoCoxPH --clinical patients.csv --features radiomics.csv \\
                             -o risk.csv
  adamss_predict_statistical -d 510 -c 3d_fullres -tr TumourVolume --masks MASKS -o risk.csv
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres -tr DeepMTLRTrainer -chk checkpoint_final.pth \\
                          --no_calibration --clinical patients.csv
  adamss_predict_statistical -d 510 -c 3d_fullres -tr DeepMTLRCoxPH --clinical patients.csv \\
                             --deep OUT/survival_predictions.csv -o risk.csv

{PLAN_OF_README}

All files must have the same patients. Writes case_id and risk_score (higher = earlier event), which
adamss_evaluate_survival reads. Radio-DeepMTS cannot predict new patients, since no command writes DeepMTS's masks of
them.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_predict_statistical",
        "Predict new patients by the folds of a method that adamss_fit_statistical fitted.",
        _EPILOG,
        [MASKS],
    )
    add = parser.add_argument
    add_model_options(parser, required=True)
    add(
        "-tr",
        dest="trainer",
        required=True,
        metavar="NAME",
        help="such as LassoCoxPH, ICARE, TumourVolume",
    )
    add_plans_option(parser)
    add_folds_option(parser)
    add("-o", dest="output", type=Path, required=True, metavar="CSV", help="output file")
    add("--clinical", type=Path, metavar="FILE.csv", help="case_id and the clinical columns that it uses")
    add(
        "--features", type=Path, action="append", default=[], metavar="FILE.csv",
        help="case_id and the features that it uses; may be repeated",
    )  # fmt: skip
    add("--deep", type=Path, metavar="FILE.csv", help="uncalibrated predictions of DeepMTLR's last epoch")
    add("-i", dest="images", type=Path, metavar="IMAGES", help="for SUVmax")
    add("--masks", type=Path, metavar="DIR", help="for tumour volume and SUVmax")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_numbered_folds(parser, args.folds)
    return parser.run(lambda: _run(args), "stopped. Run the same command again.")


def _run(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.trained_folds.complete_folds import check_fitted

    check_results_name(args.trainer)
    check_inputs([args.clinical, *args.features, args.deep], [args.images, args.masks])
    folder = folder_of_model(args)
    for fold in args.folds:
        check_fitted(folder / f"fold_{fold}" / MODEL_FILE)

    from nnunetv2_adamss.methods.statistical.predict_new_patients import PatientInputs, predict_statistical

    inputs = PatientInputs(args.clinical, args.features, args.deep, args.images, args.masks)
    prediction = predict_statistical(folder, [int(fold) for fold in args.folds], inputs)
    prediction.write(args.output)
    print(f"Risk scores of {len(prediction.case_ids)} patients: {args.output}")


if __name__ == "__main__":
    raise SystemExit(main())
