"""``adamss_make_splits``: write nnU-Net's ``splits_final.json`` with the events spread over the folds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs
from nnunetv2_adamss.cli.model_options import add_once_positional_dataset
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.text import text_of

if TYPE_CHECKING:
    from nnunetv2_adamss.survival.cohort.splits import FoldCounts
    from nnunetv2_adamss.survival.cohort.splits_file import Split, SplitsChange
    from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable

_DESCRIPTION = """\
Write the cross-validation split that nnU-Net and AdaMSS train on (splits_final.json in the preprocessed
data set's folder), with about the same number of events in every fold. Cases without an outcome serve
Stage I: they are in the training part of the folds and in no validation part.
"""

_EXAMPLES = """\
examples:
  adamss_make_splits -d 510                            five folds, events spread evenly
  adamss_make_splits -d 510 --group patient            all scans of a patient on one side
  adamss_make_splits -d 510 --leave_one_out centre     one fold for each centre
"""

# A copy of the package's numbers, which are nnU-Net's, so that --help need not import it; a test compares them.
_DEFAULT_FOLDS, _DEFAULT_SEED = 5, 12345


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_make_splits", _DESCRIPTION, _EXAMPLES)
    add = parser.add_argument
    add_once_positional_dataset(parser, "id or name of the data set; it must be preprocessed")
    add("--survival_csv", type=Path, metavar="CSV", help="default: survival.csv in the raw data set's folder")
    add("--seed", type=int, default=_DEFAULT_SEED, help="same seed, same folds (default: %(default)s)")
    add("--group", metavar="COLUMN", help="cases with the same value of this column stay on one side")
    add("--overwrite", action="store_true", help="replace another split even if models were trained on it")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "-k", dest="n_folds", type=int, default=_DEFAULT_FOLDS, help="folds (default: %(default)s)"
    )
    which.add_argument("--leave_one_out", metavar="COLUMN", help="one fold for each value of this column")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.group and args.leave_one_out:
        parser.error("argument --group: not allowed with argument --leave_one_out")
    return parser.run(lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, save_splits
    from nnunetv2_adamss.survival.nnunet_data.dataset import (
        PREPROCESSED,
        RESULTS,
        dataset_folder,
        dataset_name,
        preprocessed_cases,
    )

    check_inputs([args.survival_csv])
    name = dataset_name(args.dataset)
    folder = dataset_folder(PREPROCESSED, name)
    known_cases = preprocessed_cases(folder)

    from nnunetv2_adamss.survival.cohort.outcomes_path import default_outcomes
    from nnunetv2_adamss.survival.cohort.splits import count_folds
    from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table

    survival_csv = args.survival_csv or default_outcomes(name)
    table = read_survival_table(survival_csv, known_cases)
    splits = _splits(table, args)
    results = dataset_folder(RESULTS, name) if os.environ.get(RESULTS) else None
    change = save_splits(splits, folder / SPLITS_FILE, results, overwrite=args.overwrite)
    _print_counts(count_folds(splits, table), _left_out(splits, table, args.leave_one_out))
    _print_without_outcome(table, grouped=bool(args.group or args.leave_one_out))
    _print_change(change, folder / SPLITS_FILE, results)


def _splits(table: SurvivalTable, args: argparse.Namespace) -> list[Split]:
    from nnunetv2_adamss.survival.cohort.splits import leave_one_out_splits, stratified_splits

    if args.leave_one_out:
        return leave_one_out_splits(table, args.leave_one_out)
    return stratified_splits(table, args.n_folds, args.seed, args.group)


def _left_out(splits: Sequence[Split], table: SurvivalTable, column: str | None) -> list[str]:
    """Return the cases left out of each fold's training, for the last column of the printed table."""
    if column is None:
        return [""] * len(splits)
    groups = table.groups(column)
    return [f"without {column} {groups[split['val'][0]]}" for split in splits]


def _print_counts(folds: Sequence[FoldCounts], remarks: Sequence[str]) -> None:
    rows = [
        [str(fold), str(counts.train_cases), str(counts.train_events), str(counts.val_cases), str(counts.val_events),
         remark]
        for fold, (counts, remark) in enumerate(zip(folds, remarks, strict=True))
    ]  # fmt: skip
    print(text_of(Table("", ["fold", "train cases", "events", "val cases", "events", ""], rows)))


def _print_without_outcome(table: SurvivalTable, grouped: bool) -> None:
    n_cases = len(table.without_outcome)
    if n_cases == 0:
        return
    where = "every fold that does not validate on their group" if grouped else "every fold"
    print(f"{n_cases} cases without an outcome are in the training part of {where}: they serve Stage I only.")


def _print_change(change: SplitsChange, file: Path, results_folder: Path | None) -> None:
    from nnunetv2_adamss.survival.cohort.splits_file import SplitsChange, trained_folds

    sentences = {
        SplitsChange.WRITTEN: f"Written to {file}",
        SplitsChange.REPLACED: f"Replaced another split in {file}",
        SplitsChange.UNCHANGED: f"The same split was in {file} already; left as it is.",
    }
    print(sentences[change])
    trained = trained_folds(results_folder) if results_folder and change is SplitsChange.REPLACED else []
    if trained:
        print(
            f"{len(trained)} folds were trained on the old split and must be trained again, such as {trained[0]}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
