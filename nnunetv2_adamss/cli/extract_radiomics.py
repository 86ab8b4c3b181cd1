"""``adamss_extract_radiomics``: pyradiomics' features of a fold's tumour masks, or of any folder's."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs, check_planned, check_trainer
from nnunetv2_adamss.cli.fold_options import (
    add_mask_options,
    check_fold_options,
    mask_settings,
)
from nnunetv2_adamss.cli.former_spellings import MASKS, MASKS_DIR
from nnunetv2_adamss.cli.model_options import (
    DEVICES,
    PLAN_OF_README,
    add_fold_arguments,
    add_processes_option,
    check_processes,
    fold_number,
)
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.common.mask_flags import MASK_FLAGS

if TYPE_CHECKING:
    from nnunetv2_adamss.radiomics.extract_cases import ExtractionReport
    from nnunetv2_adamss.radiomics.request import RadiomicsRequest

_DESCRIPTION = """\
Extract the radiomics features that Stage II uses: of the original images (HU, SUV) within the tumour masks of a fold,
or of the images and masks in any two folders. By default the 1,456 features of the paper.
"""

_EXAMPLES = f"""\
examples:
  adamss_extract_radiomics 510 3d_fullres 0                        masks of the fold's Stage-I network
  adamss_extract_radiomics 510 3d_fullres 0 --mask_source out_of_fold -device cpu
  adamss_extract_radiomics 510 3d_fullres 0 --radiomics first_order    seconds for the whole cohort
  adamss_extract_radiomics 510 3d_fullres 0 --per_lesion --shell_mm 5 --overwrite
  adamss_extract_radiomics -i imagesTs --masks MASKS -o features.csv    MASKS as nnUNetv2_predict leaves them
  adamss_extract_radiomics -i IMAGES --masks MASKS -o features.csv --channels CT PET --settings my.yaml

{PLAN_OF_README}

A fold's features lie beside its Stage-I checkpoint, as radiomics_SOURCE.csv, with their provenance in a .json file.
The command can be killed at any time; run it again to extract the cases that are missing.
"""

_MOST_PROCESSES = 8  # nnU-Net's own
# --masks is allowed in both ways to call the command.
_FOLD_MASKS = {name: flag for name, flag in MASK_FLAGS.items() if name != "masks_dir"}


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_extract_radiomics",
        _DESCRIPTION,
        _EXAMPLES,
        [MASKS, MASKS_DIR],
        usage="%(prog)s DATASET CONFIGURATION FOLD [options]\n"
        "       %(prog)s -i IMAGES --masks MASKS -o CSV [options]",
    )
    add = parser.add_argument
    add(
        "--settings",
        type=Path,
        metavar="YAML",
        help="pyradiomics' parameter file (default: the paper's features)",
    )
    add(
        "--radiomics", choices=["all", "first_order"],
        help="the paper's features (default), or first-order statistics and the volume alone, which take seconds",
    )  # fmt: skip
    add("--per_label", action="store_true", help="also the features of every foreground label")
    add(
        "--per_lesion",
        action="store_true",
        help="also number and distance of the lesions, the largest one's features, and their sum and spread over all",
    )
    add(
        "--shell_mm",
        type=float,
        metavar="MM",
        help="also the features of a shell of this thickness around the tumour",
    )
    add_processes_option(parser, min(_MOST_PROCESSES, os.cpu_count() or 1), "cases in parallel")
    add("--overwrite", action="store_true", help="start over, also if other features are there")
    add_mask_options(parser, ["masks_dir"])
    _add_fold(parser)
    _add_folders(parser)
    return parser


def _add_fold(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("of a fold")
    add = group.add_argument
    add_fold_arguments(group, nargs="?")
    add("-p", dest="plans", metavar="PLANS", help="plans identifier (default: nnUNetPlans)")
    add_mask_options(group, _FOLD_MASKS)
    add("-device", choices=DEVICES, help="where masks are predicted (default: cuda)")


def _add_folders(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("of two folders")
    add = group.add_argument
    add("-i", dest="images", type=Path, metavar="IMAGES", help="folder of images, CASE_0000 and so on")
    add("-o", dest="output", type=Path, metavar="CSV", help="output file")
    add(
        "--dataset_json", type=Path, metavar="FILE",
        help="names the channels and labels (default: looked for beside the masks and images)",
    )  # fmt: skip
    add("--channels", nargs="+", metavar="NAME", help="names of the channels, if there is no dataset.json")
    add(
        "--file_ending", metavar="ENDING", help="of images and masks (default: from dataset.json, or .nii.gz)"
    )


_FOLD_OPTIONS = {"plans": "-p", **_FOLD_MASKS, "device": "-device"}
_FOLDER_OPTIONS = {
    "images": "-i", "output": "-o", "dataset_json": "--dataset_json", "channels": "--channels",
    "file_ending": "--file_ending",
}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error or broken cases, 130 or 143 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    extract = _of_folders if args.dataset is None else _of_fold
    return parser.run(lambda: _print_report(extract(args)), "stopped; run it again to continue.")


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Exit with a message if the two ways to call the command are mixed, or a value is out of range."""
    of_folders = [flag for name, flag in _FOLDER_OPTIONS.items() if getattr(args, name)]
    if args.dataset is None:
        of_fold = [flag for name, flag in _FOLD_OPTIONS.items() if getattr(args, name, None) is not None]
        if not (args.images and hasattr(args, "masks_dir") and args.output):
            parser.error("give DATASET CONFIGURATION FOLD, or -i, --masks and -o")
        if of_fold:
            parser.error(f"{', '.join(of_fold)}: only with DATASET CONFIGURATION FOLD")
        if args.dataset_json and args.channels:
            parser.error("--dataset_json and --channels exclude each other")
    else:
        if args.fold is None:
            parser.error("DATASET, CONFIGURATION and FOLD belong together")
        if of_folders:
            parser.error(f"{', '.join(of_folders)}: not with DATASET CONFIGURATION FOLD")
        check_fold_options(parser, vars(args))
    if args.settings and args.radiomics:
        parser.error("--settings and --radiomics exclude each other")
    check_processes(parser, args)


def _of_fold(args: argparse.Namespace) -> ExtractionReport:
    check_inputs([args.settings], [getattr(args, "masks_dir", None)])
    plans = args.plans or "nnUNetPlans"
    check_planned(args.dataset, plans, args.configuration)
    if hasattr(args, "seg_trainer"):
        check_trainer(args.seg_trainer, "-seg_tr")

    from nnunetv2_adamss.radiomics.extraction_progress import progress_bars
    from nnunetv2_adamss.radiomics.fold_radiomics import FoldRadiomics, read_fold
    from nnunetv2_adamss.survival.config import SurvivalConfig
    from nnunetv2_adamss.survival.nnunet_data.dataset import dataset_name

    nnunet_fold = read_fold(dataset_name(args.dataset), plans, args.configuration, fold_number(args.fold))
    config = SurvivalConfig(radiomics=args.radiomics or "all", **mask_settings(vars(args)))
    fold = FoldRadiomics(nnunet_fold, config, _settings(args), _extras(args))
    with progress_bars() as progress, results_only():
        return fold.extract(
            device=args.device or "cuda",
            num_processes=args.num_processes,
            overwrite=args.overwrite,
            progress=progress,
        )


def _of_folders(args: argparse.Namespace) -> ExtractionReport:
    masks = Path(args.masks_dir)
    check_inputs([args.settings, args.dataset_json], [args.images, masks])

    from nnunetv2_adamss.radiomics.extract_cases import extract_features
    from nnunetv2_adamss.radiomics.extraction_progress import progress_bars
    from nnunetv2_adamss.radiomics.radiomics_folder import cases_in

    request, file_ending = _folders_request(args, masks)
    cases = cases_in(args.images, masks, request.channels, file_ending)
    with progress_bars() as progress:
        progress.on_features(len(cases))
        return extract_features(
            cases,
            request,
            args.output,
            masks={"source": "folder", "folder": str(masks.resolve())},
            num_processes=args.num_processes,
            overwrite=args.overwrite,
            on_case_done=progress.on_case_done,
            on_working=progress.on_working,
        )


def _folders_request(args: argparse.Namespace, masks: Path) -> tuple[RadiomicsRequest, str]:
    """Return the request for two folders, and the ending of their files."""
    from nnunetv2_adamss.radiomics.request import RadiomicsRequest, column_word
    from nnunetv2_adamss.survival.nnunet_data.dataset_json import find_dataset_json, read_dataset_json

    if args.channels:
        channels = tuple(map(column_word, args.channels))
        return RadiomicsRequest(
            channels, _settings(args), extras=_extras(args)
        ), args.file_ending or ".nii.gz"
    file = args.dataset_json or find_dataset_json(args.images, masks)
    if file is None:
        raise ValueError(
            f"There is no dataset.json beside {masks} or {args.images} that names the channels. Say where one is "
            "with --dataset_json, or name them with --channels, such as --channels CT PET."
        )
    dataset_json = read_dataset_json(file)
    request = RadiomicsRequest.from_dataset_json(dataset_json, _settings(args), _extras(args))
    return request, args.file_ending or dataset_json.get("file_ending", ".nii.gz")


def _settings(args: argparse.Namespace) -> Any:
    from nnunetv2_adamss.radiomics.radiomics_settings import SHIPPED_SETTINGS, RadiomicsSettings

    return RadiomicsSettings.read(args.settings or SHIPPED_SETTINGS[args.radiomics or "all"])


def _extras(args: argparse.Namespace) -> Any:
    from nnunetv2_adamss.radiomics.request import Extras

    return Extras(args.per_label, args.per_lesion, args.shell_mm)


def _print_report(report: ExtractionReport) -> int:
    for case_id, notes in report.notes.items():
        for note in notes:
            print(f"WARNING: {case_id}: {note}", file=sys.stderr)
    kept = f" ({report.n_kept} of them from before)" if report.n_kept else ""
    print(f"{report.n_features} features of {report.n_extracted + report.n_kept} cases{kept}: {report.table}")
    if report.broken:
        print(f"adamss_extract_radiomics: {len(report.broken)} case(s) have no features:", file=sys.stderr)
        for case_id, fault in report.broken.items():
            print(f"  {case_id}: {fault}", file=sys.stderr)
    return 2 if report.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
