"""``adamss_predict_statistical``: new patients by a statistical comparison method or a baseline."""

import argparse
import logging
from pathlib import Path

from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.cli.model_options import add_folds_option, check_numbered_folds

_EPILOG = """
examples:
  adamss_extract_radiomics -i imagesTs -m labelsTs -o radiomics.csv
  adamss_predict_statistical -d 510 -c 3d_fullres -tr LassoCoxPH --clinical patients.csv --features radiomics.csv \\
                             -o risk.csv
  adamss_predict_statistical -d 510 -c 3d_fullres -tr TumourVolume -m MASKS -o risk.csv
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres -tr DeepMTLRTrainer -chk checkpoint_final.pth \\
                          --no_calibration --clinical patients.csv
  adamss_predict_statistical -d 510 -c 3d_fullres -tr DeepMTLRCoxPH --clinical patients.csv \\
                             --deep OUT/survival_predictions.csv -o risk.csv

All files must have the same patients. Writes case_id and risk_score (higher = earlier event), which
adamss_evaluate_survival reads. Radio-DeepMTS cannot predict new patients, since no command writes DeepMTS's masks of
them.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="adamss_predict_statistical",
        description="Predict new patients by the folds of a method that adamss_fit_statistical fitted.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-d", dest="dataset", required=True, help="nnU-Net's data set id or name, that it was fitted on")
    add("-c", dest="configuration", required=True, help="3d_fullres or 3d_lowres")
    add(
        "-tr",
        dest="method_folder",
        required=True,
        metavar="NAME",
        help="such as LassoCoxPH, ICARE, TumourVolume",
    )
    add("-p", dest="plans", default="nnUNetPlans", help="plans identifier (default: %(default)s)")
    add_folds_option(parser)
    add("-o", dest="output", type=Path, required=True, metavar="CSV", help="file that is written")
    add("--clinical", type=Path, metavar="FILE.csv", help="case_id and the clinical columns that it uses")
    add(
        "--features", type=Path, action="append", default=[], metavar="FILE.csv",
        help="case_id and the features that it uses; may be repeated",
    )  # fmt: skip
    add("--deep", type=Path, metavar="FILE.csv", help="uncalibrated predictions of DeepMTLR's last epoch")
    add("-i", dest="images", type=Path, metavar="IMAGES", help="for SUVmax")
    add("-m", dest="masks", type=Path, metavar="MASKS", help="for tumour volume and SUVmax")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, said on stderr, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_numbered_folds(parser, args.folds)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    return exit_code("adamss_predict_statistical", lambda: _run(args), "stopped. Run the same command again.")


def _run(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.methods.statistical.predict_new_patients import PatientInputs, predict_statistical
    from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder

    inputs = PatientInputs(args.clinical, args.features, args.deep, args.images, args.masks)
    folder = model_folder(args.dataset, args.method_folder, args.plans, args.configuration)
    prediction = predict_statistical(folder, [int(fold) for fold in args.folds], inputs)
    prediction.write(args.output)
    print(f"Risk scores of {len(prediction.case_ids)} patients: {args.output}")


if __name__ == "__main__":
    raise SystemExit(main())
