"""``adamss_make_phantom_dataset``: write a synthetic PET/CT data set with survival outcomes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.former_spellings import Renamed
from nnunetv2_adamss.cli.model_options import add_processes_option, check_processes
from nnunetv2_adamss.common.quiet import is_quiet
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.text import text_of
from nnunetv2_adamss.display.words import number, percent

if TYPE_CHECKING:
    from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig

_DESCRIPTION = """\
Write an nnU-Net raw data set of SYNTHETIC head-and-neck-like PET/CT with simulated survival.
The truth is known: which signals drive the hazard, how strongly, and the C-index of an oracle.
It tests software; results on it do not apply to patients.

signals (independent of each other; all are in the data, the ones switched on drive the hazard):
  volume                volume of the primary tumour
  heterogeneity         spread of uptake within the tumour; its mean does not change
  n_nodes               number of lymph nodes, 0 to 4
  out_of_tumour_uptake  PET: uptake of a ring of muscle outside all labels
  ct_only_pattern       CT: fatty streaks in the muscles behind the spine, outside all labels
  age                   clinical column, years
  hpv                   clinical column, 0 or 1; 1 lowers the hazard
"""

_EXAMPLES = """\
examples:
  adamss_make_phantom_dataset -n 100 --n_test 50
  adamss_make_phantom_dataset -d 991 --name NodesOnly --signals n_nodes --effect 1
  adamss_make_phantom_dataset -d 992 --name Null --null
  adamss_make_phantom_dataset -d 993 --name Shifted --centres 4 --scanner_shift
"""

_RAW_FOLDER_VARIABLE = "nnUNet_raw"
# A copy of the package's list, so that --help need not import it; a test compares the two.
_SIGNALS = ("volume", "heterogeneity", "n_nodes", "out_of_tumour_uptake", "ct_only_pattern", "age", "hpv")


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_make_phantom_dataset", _DESCRIPTION, _EXAMPLES, [Renamed("--num_processes", "-np")]
    )
    add = parser.add_argument
    add("-o", dest="raw_folder", type=Path, help="nnU-Net's raw folder (default: the variable nnUNet_raw)")
    add("-d", dest="dataset_id", type=int, default=990, help="id of the data set (default: %(default)s)")
    add("--name", default="Phantom", help="name of the data set (default: %(default)s)")
    add("-n", dest="n_training", type=int, default=100, help="training cases (default: %(default)s)")
    add("--n_test", type=int, default=50, help="held-out cases (default: %(default)s)")
    add("--overwrite", action="store_true", help="replace a phantom of the same id and name")
    add_processes_option(parser, 2, "cases in parallel; same files")
    _add_survival_options(parser.add_argument_group("survival"))
    _add_image_options(parser.add_argument_group("images"))
    return parser


def _add_survival_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--signals", nargs="+", choices=_SIGNALS, default=list(_SIGNALS), metavar="SIGNAL",
        help="signals that drive the hazard (default: all seven)",
    )  # fmt: skip
    which.add_argument("--null", action="store_true", help="no signal drives the hazard; oracle C-index 0.5")
    add(
        "--effect", type=float, default=0.5,
        help="log hazard ratio of one SD of each signal; of hpv, with a minus (default: %(default)s)",
    )  # fmt: skip
    add("--censoring", type=float, default=0.6, help="censored share in training (default: %(default)s)")
    add("--missing", type=float, default=0.1, help="chance of a missing age or hpv (default: %(default)s)")
    add("--seed", type=int, default=0, help="same seed, same files (default: %(default)s)")


def _add_image_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    zyx = ("Z", "Y", "X")
    add("--shape", type=int, nargs=3, metavar=zyx, default=(48, 48, 48), help="voxels (default: 48 48 48)")
    add(
        "--spacing", type=float, nargs=3, metavar=zyx, default=(3.5, 3.5, 3.5),
        help="mm, at most 5; shape times spacing at least 150 mm on each axis (default: 3.5 3.5 3.5)",
    )  # fmt: skip
    add("--centres", type=int, default=3, help="values of the centre column (default: %(default)s)")
    add("--scanner_shift", action="store_true", help="centres differ in PET gain and blur and in CT offset")
    add("--separate_grids", action="store_true", help="also write CT and PET on their own grids, in native/")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported in one sentence on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_processes(parser, args)
    return parser.run(lambda: _print_summary(_write(args)))


def _write(args: argparse.Namespace) -> Path:
    raw_folder = _raw_folder(args.raw_folder)

    from tqdm import tqdm

    from nnunetv2_adamss.datasets.phantom import write_phantom_dataset

    config = _config(args)
    # The delay keeps the bar off the screen when the first check fails.
    with tqdm(
        total=config.n_training + config.n_test, desc="Cases", unit="case", delay=0.5, disable=is_quiet()
    ) as bar:
        return write_phantom_dataset(
            config,
            raw_folder,
            overwrite=args.overwrite,
            num_processes=args.num_processes,
            on_case_written=lambda case_id: bar.update(),
        )


def _raw_folder(option: Path | None) -> Path:
    if option is not None:
        return option
    raw_folder = os.environ.get(_RAW_FOLDER_VARIABLE)
    if not raw_folder:
        raise ValueError("Where to write is unknown: set the variable nnUNet_raw or give a folder with -o.")
    return Path(raw_folder)


def _config(args: argparse.Namespace) -> PhantomCohortConfig:
    from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, log_hazard_ratios

    return PhantomCohortConfig(
        n_training=args.n_training,
        n_test=args.n_test,
        shape=tuple(args.shape),
        spacing_mm=tuple(args.spacing),
        signals_on=() if args.null else tuple(dict.fromkeys(args.signals)),
        log_hazard_ratio=log_hazard_ratios(args.effect),
        censoring_fraction=args.censoring,
        missing_fraction=args.missing,
        n_centres=args.centres,
        scanner_shift=args.scanner_shift,
        separate_grids=args.separate_grids,
        seed=args.seed,
        dataset_id=args.dataset_id,
        dataset_name=args.name,
    )


def _print_summary(folder: Path) -> None:
    from nnunetv2_adamss.common.json_object import read_object

    summary = read_object(folder / "phantom.json", summary=dict)["summary"]
    rows = [
        [split, str(row["cases"]), str(row["events"]), percent(1 - row["events"] / row["cases"]),
         number(row["oracle_c_index"], 3)]
        for split, row in summary.items()
    ]  # fmt: skip
    print(text_of(Table("", ["split", "cases", "events", "censored", "oracle C-index"], rows)))
    print(f"Written to {folder}")


if __name__ == "__main__":
    raise SystemExit(main())
