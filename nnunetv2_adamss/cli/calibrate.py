"""``adamss_calibrate``: bring predicted survival to what is observed in patients not trained on."""

from __future__ import annotations

import argparse
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_cross_validation, check_inputs, folder_of_model
from nnunetv2_adamss.cli.former_spellings import OUTCOMES, Renamed
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_folds_option,
    add_once_positional_model,
    add_trainer_options,
    check_numbered_folds,
)
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.text import text_of
from nnunetv2_adamss.display.words import number, significant, with_interval
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS

if TYPE_CHECKING:
    from nnunetv2_adamss.prediction.calibration import Calibration
    from nnunetv2_adamss.prediction.calibration_check import CalibrationCheck

_DESCRIPTION = """\
Calibrate the survival curves of a model on the out-of-fold predictions of its finished cross-validation. The result,
survival_calibration.json in the model's folder, is used by every later prediction. With --predictions, calibrate a
file of predictions on the outcomes of its patients instead, such as those of another hospital.
"""

_EPILOG = f"""\
examples:
  adamss_calibrate -d 510 -c 3d_fullres
  adamss_calibrate -d 510 -c 3d_fullres -f 0 1 2       only these folds were trained
  adamss_calibrate --predictions survival_predictions.csv --survival_csv survival.csv -o our_hospital.json

{PLAN_OF_README}
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_calibrate", _DESCRIPTION, _EPILOG, [OUTCOMES, Renamed("--on", "--predictions")]
    )
    add = parser.add_argument
    add_once_positional_model(parser, required=False)
    add_trainer_options(parser)
    add_folds_option(parser)
    add(
        "--survival_csv",
        type=Path,
        metavar="CSV",
        help="outcomes; of a model only if the table that it was trained with has moved",
    )
    add(
        "--predictions",
        type=Path,
        metavar="CSV",
        help="case_id and survival_at_T; needs --survival_csv and -o",
    )
    add(
        "-o",
        dest="output",
        type=Path,
        metavar="CALIBRATION.json",
        help="output file of --predictions; a plot is written beside it",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(lambda: _calibrate(args))


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if args.predictions:
        if args.dataset or not args.survival_csv or not args.output:
            parser.error(
                "--predictions CSV goes with --survival_csv CSV and -o CALIBRATION.json, without a data set"
            )
        if args.output.suffix != ".json":
            parser.error(f"-o must end in .json, not {args.output.name}")
        return
    if not args.configuration or args.output:
        parser.error("give -d and -c, or --predictions CSV --survival_csv CSV -o CALIBRATION.json")
    check_numbered_folds(parser, args.folds)


def _calibrate(args: argparse.Namespace) -> None:
    check_inputs([args.predictions, args.survival_csv])
    if not args.predictions:
        check_cross_validation(args, CHECKPOINTS["last"])

    checks, file = _calibrate_file(args) if args.predictions else _calibrate_model(args)

    print(text_of(*(_table(name, check) for name, check in checks.items())))
    print(f"Written to {file}; plot: {file.with_suffix('.png')}")


def _calibrate_model(args: argparse.Namespace) -> tuple[dict[str, CalibrationCheck], Path]:
    from nnunetv2_adamss.prediction.calibrate_model import calibrate_model
    from nnunetv2_adamss.prediction.calibration_files import CALIBRATION_FILE

    folder = folder_of_model(args)
    checks = calibrate_model(folder, [int(fold) for fold in args.folds], args.survival_csv)
    return checks, folder / CALIBRATION_FILE


def _calibrate_file(args: argparse.Namespace) -> tuple[dict[str, CalibrationCheck], Path]:
    from nnunetv2_adamss.prediction.calibrate_model import calibrate_predictions

    return {
        args.predictions.name: calibrate_predictions(args.predictions, args.survival_csv, args.output)
    }, args.output


def _table(name: str, check: CalibrationCheck) -> Table:
    found = check.calibration
    folds = f", folds {' '.join(map(str, found.folds))}" if found.folds else ""
    shown = (
        "beyond follow-up" if isnan(observed) else with_interval(observed, interval)
        for observed, interval in zip(check.observed, check.interval.T, strict=True)
    )
    columns = {"predicted": check.before, "calibrated, on the same patients": check.after}
    if check.cross_fitted is not None:
        columns["calibrated, on the other folds"] = check.cross_fitted
    return Table(
        f"{name}{folds}: {found.n_cases} cases, {found.n_events} events\n"
        f"slope {_slopes(found)}; median risk score {found.threshold_of_average:.6g}, the threshold of risk groups",
        [found.time_unit, "Kaplan-Meier [95% interval]", *columns],
        [
            [significant(time, 6), observed, *(number(value, 3) for value in values)]
            for time, observed, *values in zip(found.times, shown, *columns.values(), strict=True)
        ],
        [_calibration_note(check)],
        n_names=0,
    )


def _slopes(found: Calibration) -> str:
    if found.ensemble is None:
        return f"{found.slope:.2f}"
    return f"{found.slope:.2f} of a fold alone, {found.ensemble.slope:.2f} of the folds together"


def _calibration_note(check: CalibrationCheck) -> str:
    if check.cross_fitted_slope is None:
        return (
            "Calibrated survival is of the patients that it was fitted on, so it looks better than it is. "
            f"{check.why_not_cross_fitted}"
        )
    return (
        "On the other folds: each fold's patients as a calibration of the other folds has them. The slope of these "
        f"curves is {check.cross_fitted_slope:.2f}, where 1 is right and less is overconfident."
    )


if __name__ == "__main__":
    raise SystemExit(main())
