"""``adamss_report``: one HTML file about a trained survival model, for people."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from nnunetv2_adamss.cli.fold_options import fold_number

_Item = TypeVar("_Item")
_DESCRIPTION = """\
Write one HTML file about a trained survival model: cohort, survival results, Dice, covariates, training curves,
provenance and a page for each patient. It needs no network and prints on A4. What is missing is said in its place.
"""

_EXAMPLES = """\
examples:
  adamss_report 510 3d_fullres
  adamss_report 510 3d_fullres -f 0 1 2 -tr AdaMSSSurvTrainer_NoClinical -o report.html
  adamss_report 510 3d_fullres --predictions OUT                    patients that adamss_predict_survival predicted
  adamss_report 510 3d_fullres --predictions OUT -s SURVIVAL.csv    and how good these predictions are
"""


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="adamss_report",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="nnU-Net's data set id or name")
    add("configuration", metavar="CONFIGURATION", help="such as 3d_fullres")
    add("-tr", dest="trainer", metavar="TRAINER", default="AdaMSSSurvTrainer", help="default: %(default)s")
    add(
        "-p",
        dest="plans",
        metavar="PLANS",
        default="nnUNetPlans",
        help="plans identifier (default: %(default)s)",
    )
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
    add("-s", dest="survival_csv", type=Path, metavar="CSV", help="outcomes of the patients of --predictions")
    add(
        "--max_patients", type=int, metavar="N",
        help="pages of patients at most (default: 20 validation patients, or all of --predictions)",
    )  # fmt: skip
    add("-o", dest="output", type=Path, metavar="HTML", help="default: report.html in the model's folder")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 written, 2 a user's error)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        file = _write(args)
    except (ValueError, OSError) as error:
        print(f"adamss_report: {error}", file=sys.stderr)
        return 2
    print(f"Report: {file}")
    return 0


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    wrong = [fold for fold in args.folds or [] if fold != "all" and not fold.isdecimal()]
    if wrong:
        parser.error(f"a fold must be a number or all, not {wrong[0]}")
    if args.folds and "all" in args.folds and len(set(args.folds)) > 1:
        parser.error("fold all is a model of its own and does not go with numbered folds")
    if args.survival_csv and not args.predictions:
        parser.error("-s has outcomes of new patients, so it goes with --predictions")
    if args.max_patients is not None and args.max_patients < 0:
        parser.error(f"--max_patients is {args.max_patients}, but must be at least 0")


def _write(args: argparse.Namespace) -> Path:
    from nnunetv2_adamss.report.new_patients import NewPatients
    from nnunetv2_adamss.report.report import REPORT_FILE, write_report
    from nnunetv2_adamss.report.sources import find_model
    from nnunetv2_adamss.survival.nnunet_dataset import dataset_name

    folds = None if args.folds is None else [fold_number({"fold": fold}) for fold in args.folds]
    source = find_model(dataset_name(args.dataset), args.configuration, args.trainer, args.plans, folds)
    new = NewPatients(args.predictions, args.survival_csv, _bar) if args.predictions else None
    if new is not None:
        new.check(source)
    file: Path = args.output or source.model_folder / REPORT_FILE
    write_report(source, file, new, args.max_patients, _bar)
    return file


def _bar(name: str, items: Sequence[_Item]) -> Iterable[_Item]:
    from tqdm import tqdm

    return tqdm(items, name, unit="patient")


if __name__ == "__main__":
    raise SystemExit(main())
