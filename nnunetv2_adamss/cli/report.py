"""``adamss_report``: write one HTML file about a trained survival model."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_cross_validation, check_inputs
from nnunetv2_adamss.cli.former_spellings import OUTCOMES
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_once_positional_model,
    add_trainer_options,
    check_folds,
    fold_number,
)
from nnunetv2_adamss.common.quiet import no_bar

_Item = TypeVar("_Item")
_DESCRIPTION = """\
Write one HTML file about a trained survival model: cohort, survival results, Dice, covariates, training curves,
provenance and a page for each patient. It needs no network and prints on A4. A note replaces a missing part.
"""

_EXAMPLES = f"""\
examples:
  adamss_report -d 510 -c 3d_fullres
  adamss_report -d 510 -c 3d_fullres -f 0 1 2 -tr AdaMSSSurvTrainer_NoClinical -o report.html
  adamss_report -d 510 -c 3d_fullres --predictions OUT               patients that adamss_predict_survival predicted
  adamss_report -d 510 -c 3d_fullres --predictions OUT --survival_csv NEW.csv    and how good these predictions are
  adamss_report -d 510 -c 3d_fullres --predictions OUT --pdf PDFS    and a PDF of each patient

{PLAN_OF_README}
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_report", _DESCRIPTION, _EXAMPLES, [OUTCOMES])
    add = parser.add_argument
    add_once_positional_model(parser)
    add_trainer_options(parser)
    add(
        "-f",
        dest="folds",
        metavar="FOLD",
        nargs="+",
        help="numbers of folds, or all (default: those that are trained)",
    )
    add(
        "--predictions",
        type=Path,
        metavar="OUT",
        help="output folder of adamss_predict_survival: a page a patient",
    )
    add("--survival_csv", type=Path, metavar="CSV", help="outcomes of the patients of --predictions")
    add("--benchmark", type=Path, metavar="OUT", help="show the tables that adamss_benchmark wrote")
    add(
        "--max_patients", type=int, metavar="N",
        help="pages of patients at most (default: 20 validation patients, or all of --predictions)",
    )  # fmt: skip
    add(
        "--pdf", type=Path, metavar="FOLDER",
        help="also print each patient's page as FOLDER/CASE.pdf; needs Chromium, Google Chrome or Microsoft Edge",
    )  # fmt: skip
    add("-o", dest="output", type=Path, metavar="HTML", help="default: report.html in the model's folder")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 written, 2 a user's error)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(lambda: _write(args))


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if args.folds:
        check_folds(parser, args.folds)
    if args.survival_csv and not args.predictions:
        parser.error("--survival_csv has outcomes of new patients, so it goes with --predictions")
    if args.max_patients is not None and args.max_patients < 0:
        parser.error(f"--max_patients is {args.max_patients}, but must be at least 0")


def _write(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.display.pdf import find_browser
    from nnunetv2_adamss.prediction.prediction_folder import PREDICTIONS_FILE, PROVENANCE_FILE

    if args.pdf:
        find_browser()  # before the work
    check_inputs([args.survival_csv], [args.predictions, args.benchmark])
    if args.predictions:
        check_inputs([args.predictions / name for name in (PREDICTIONS_FILE, PROVENANCE_FILE)])
    check_cross_validation(args)

    from nnunetv2_adamss.report.model_data import find_model
    from nnunetv2_adamss.report.predicted_patients import NewPatients
    from nnunetv2_adamss.report.write_report import REPORT_FILE, write_report

    folds = None if args.folds is None else [fold_number(fold) for fold in args.folds]
    source = find_model(args.dataset, args.configuration, args.trainer, args.plans, folds)
    new = NewPatients(args.predictions, args.survival_csv, _bar) if args.predictions else None
    if new is not None:
        new.check(source)
    file: Path = args.output or source.model_folder / REPORT_FILE
    write_report(source, file, new, args.max_patients, _bar, benchmark=args.benchmark, pdf_folder=args.pdf)
    print(f"Report: {file}")
    if args.pdf:
        print(f"A PDF of each patient's page: {args.pdf}")


def _bar(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    from tqdm import tqdm

    return tqdm(items, desc=what, unit="patient", disable=no_bar())


if __name__ == "__main__":
    raise SystemExit(main())
