"""``adamss_verify_dataset``: check images and survival table together, before anything is planned."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs
from nnunetv2_adamss.cli.model_options import (
    add_once_positional_dataset,
    add_processes_option,
    check_processes,
)
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.display.blocks import Block, Facts, Table
from nnunetv2_adamss.display.text import text_of
from nnunetv2_adamss.display.words import percent, time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nnunetv2_adamss.survival.cohort.cohort_summary import CohortSummary, ColumnSummary

_DESCRIPTION = """\
Check a raw data set: images and masks as every later step will read them, nnU-Net's own check, then the survival
table and its description survival.json. All faults are listed. Ends with a summary of the cohort.
"""

_EXAMPLES = """\
examples:
  adamss_verify_dataset -d 510
  adamss_verify_dataset -d Dataset510_STS --survival_csv overall_survival.csv
"""

_MOST_PROCESSES = 8  # nnU-Net's own
_MOST_CATEGORIES = 6


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_verify_dataset", _DESCRIPTION, _EXAMPLES)
    add_once_positional_dataset(parser, "id or name of the data set in nnUNet_raw")
    parser.add_argument(
        "--survival_csv",
        type=Path,
        metavar="CSV",
        help="default: survival.csv in the raw data set's folder",
    )
    add_processes_option(
        parser, min(_MOST_PROCESSES, os.cpu_count() or 1), "cases that are checked in parallel"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 no faults, 2 faults, reported on stderr, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_processes(parser, args)
    return parser.run(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    faults, summary = _verify(args)
    for fault in faults:
        print(f"adamss_verify_dataset: {fault}", file=sys.stderr)
    if summary is not None:
        print(text_of(*_summary(summary)))
    return 2 if faults else 0


def _verify(args: argparse.Namespace) -> tuple[list[str], CohortSummary | None]:
    from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder, dataset_name

    check_inputs([args.survival_csv])
    folder = dataset_folder(RAW, dataset_name(args.dataset))
    if not folder.is_dir():
        raise ValueError(f"There is no raw data set {folder}.")

    from nnunetv2_adamss.survival.cohort.outcomes_path import SURVIVAL_CSV

    image_faults = _image_faults(folder, args.num_processes)
    table_faults, summary = _table_faults(folder, args.survival_csv or folder / SURVIVAL_CSV)
    return [*image_faults, *table_faults], summary


def _image_faults(folder: Path, num_processes: int) -> list[str]:
    """Return the faults found by the reader of all later steps, then those that nnU-Net's own check finds."""
    faults = _faults_by_case(folder, num_processes) if (folder / "dataset.json").is_file() else []
    return [*faults, *_faults_by_nnunet(folder, num_processes)]


def _faults_by_case(folder: Path, num_processes: int) -> list[str]:
    from tqdm import tqdm

    from nnunetv2_adamss.survival.nnunet_data.image_check import check_raw_images

    with tqdm(desc="Images and masks", unit="case", disable=no_bar()) as bar:

        def show(n_done: int, n_cases: int) -> None:
            bar.total = n_cases
            bar.update()

        try:
            found = check_raw_images(folder, num_processes, show)
        except (ValueError, OSError, KeyError) as error:
            return [f"The images cannot be checked: {error}"]
    return [f"{case_id}: {fault}." for case_id, fault in found.items()]


def _faults_by_nnunet(folder: Path, num_processes: int) -> list[str]:
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    try:
        with results_only():
            verify_dataset_integrity(str(folder), num_processes)
    # Any error that nnU-Net raises, from an assertion to a reader's own error, is its finding on the images.
    except Exception as error:
        return [f"nnU-Net's check of the images failed: {str(error) or type(error).__name__}"]
    return []


def _table_faults(folder: Path, survival_csv: Path) -> tuple[list[str], CohortSummary | None]:
    from nnunetv2_adamss.survival.cohort.cohort_summary import summarise_cohort
    from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTableError, read_survival_table

    try:
        return [], summarise_cohort(read_survival_table(survival_csv, _known_cases(folder)))
    except SurvivalTableError as error:
        return [str(error)], None


def _known_cases(folder: Path) -> list[str] | None:
    from nnunetv2_adamss.survival.nnunet_data.dataset import raw_cases

    try:
        return raw_cases(folder)
    # dataset.json or imagesTr are missing or broken, as nnU-Net's check reported; the table is checked alone.
    except (OSError, ValueError, KeyError):
        return None


def _summary(summary: CohortSummary) -> Iterator[Block]:
    follow_up = time(summary.median_follow_up, summary.time_unit)
    yield Facts(
        [
            ("Endpoint", summary.endpoint or "not named"),
            ("Patients", str(summary.n_patients)),
            ("Without outcome", str(summary.n_without_outcome)),
            ("Events", str(summary.n_events)),
            ("Censored", f"{percent(summary.censored_fraction)} of the patients with an outcome"),
            ("Median follow-up", f"{follow_up} (reverse Kaplan-Meier)"),
            *([] if summary.missing else [("Clinical columns", "none")]),
        ]
    )
    if summary.columns:
        yield _column_table(summary)
    if summary.missing:
        yield _missing_table(summary)


def _column_table(summary: CohortSummary) -> Table:
    rows = [
        [one.name, f"{one.kind}{' *' if one.is_described else ''}", str(one.n_missing), _values(one)]
        for one in summary.columns
    ]
    is_described = any(one.is_described for one in summary.columns)
    notes = ["* as survival.json says; the others by their cells"] if is_described else []
    return Table("", ["Clinical column", "type", "missing", "values"], rows, notes, is_prose=True)


def _values(column: ColumnSummary) -> str:
    from nnunetv2_adamss.common.messages import shortened

    if column.lowest is not None:
        return f"{column.lowest:g} to {column.highest:g}"
    shown = [f"{shortened(name)} ({n})" for name, n in list(column.categories.items())[:_MOST_CATEGORIES]]
    n_more = len(column.categories) - len(shown)
    return ", ".join([*shown, *([f"and {n_more} more"] if n_more else [])]) or "none"


def _missing_table(summary: CohortSummary) -> Table:
    groups = list(summary.group_sizes)
    rows = [["(patients)", str(summary.n_patients), *map(str, summary.group_sizes.values())]]
    rows += [
        [name, str(count), *(str(summary.missing_by_group[group][name]) for group in groups)]
        for name, count in summary.missing.items()
    ]
    heads = [f"{summary.group_column} {group}" for group in groups]
    return Table("", ["Missing values in", "all", *heads], rows)


if __name__ == "__main__":
    raise SystemExit(main())
