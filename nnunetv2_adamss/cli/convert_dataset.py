"""``adamss_convert_dataset``: a public cohort, DICOM or any other, as an nnU-Net raw data set with outcomes."""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs
from nnunetv2_adamss.cli.file_name import file_name
from nnunetv2_adamss.cli.model_options import add_processes_option, check_processes
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.display.blocks import Facts
from nnunetv2_adamss.display.text import text_of

if TYPE_CHECKING:
    from nnunetv2_adamss.datasets.conversion.convert_cohort import ConversionReport
    from nnunetv2_adamss.datasets.conversion.dicom_patient import DicomOptions
    from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort

_DESCRIPTION = """\
Write an nnU-Net raw data set with survival.csv and survival.json from PET/CT as published, or from DICOM. CT (HU), PET
(SUV) and mask of a patient come to one grid: what both scans saw, by default in voxels of 1 mm.
"""

_EXAMPLES = """\
examples:
  adamss_convert_dataset hecktor2022 hecktor2022_training -d 22
  adamss_convert_dataset hecktor2025 hecktor2025_training -d 25 --crop head_neck -np 8
  adamss_convert_dataset hecktor2026 hecktor2026_training -d 26 --pet_table suv_conversion_tags.csv
  adamss_convert_dataset ibsi_sarcoma ibsi_validation -d 511 --name STS
  adamss_convert_dataset dicom scans -d 31 --tables outcomes.csv --structure "GTVp=^GTV.?P" --structure "GTVn=^GTV.?N"
  adamss_convert_dataset manifest cohort.csv -d 30 --grid pet --labels GTVp GTVn

dicom: a folder with CT, PET and RTSTRUCT or SEG of all patients; --tables is one CSV with case_id and, if known, time,
event and clinical columns. manifest: a CSV with case_id, ct, pet, mask (files, from the CSV's folder; or folders of
DICOM slices and an RTSTRUCT or SEG), and if known time, event and clinical columns.
Times are days unless a survival.json beside the CSV says otherwise, which is kept. Patients without a mask go to
imagesTs. The command can be killed at any time; run it again to convert the patients that are missing.
Exit code: 0 done, 1 done without the patients that are named at the end, 2 nothing done, 130 stopped.
"""

_FORMATS = ("hecktor2021", "hecktor2022", "hecktor2025", "hecktor2026", "ibsi_sarcoma", "dicom", "manifest")
_DEFAULT_SEED = 12345
_SPACING_MM = (0.1, 50.0)  # finer than any scanner's, and so coarse that no tumour is left
_FIELD_MM = (50.0, 2000.0)  # the tumour's middle is at least 25 mm inside on either side
_MOST_PROCESSES = 4  # a whole body in voxels of 1 mm takes up to 4 GB


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_convert_dataset", _DESCRIPTION, _EXAMPLES)
    add = parser.add_argument
    add("format", metavar="FORMAT", choices=_FORMATS, help=", ".join(_FORMATS))
    add("source", metavar="SOURCE", type=Path, help="folder of the cohort; the CSV of a manifest")
    add("-d", dest="dataset_id", type=int, required=True, metavar="ID", help="id of the data set, 1 to 999")
    add("--name", type=file_name, help="name of the data set (default: the format's)")
    add("-o", dest="raw_folder", type=Path, help="nnU-Net's raw folder (default: the variable nnUNet_raw)")
    add_processes_option(parser, min(_MOST_PROCESSES, os.cpu_count() or 1), "patients in parallel")
    add(
        "--overwrite",
        action="store_true",
        help="start over, even if the id was converted from another source or with other settings",
    )
    _add_images(parser.add_argument_group("images"))
    _add_dicom(parser.add_argument_group("DICOM"))
    _add_tables(parser.add_argument_group("tables"))
    return parser


def _add_images(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--grid", choices=["iso", "ct", "pet"],
        help="voxels of one size, or a scan's own (default: iso; pet for ibsi_sarcoma)",
    )  # fmt: skip
    add(
        "--spacing", type=_spacing, nargs="+", metavar="MM",
        help="of iso: one number, or three, Z Y X (default: 1)",
    )  # fmt: skip
    add(
        "--crop", choices=["head_neck"],
        help="cut to 200 x 200 x 310 mm below the top of the brain, which the PET shows",
    )  # fmt: skip
    add(
        "--field_mm", type=_field, default=argparse.SUPPRESS, metavar="MM",
        help="cut boxes of this side at random places around the tumour, or none (default: none; 130 for "
        "ibsi_sarcoma, whose published images follow the tumour and so give its size away)",
    )  # fmt: skip
    add("--seed", type=int, default=_DEFAULT_SEED, help="of these places (default: %(default)s)")


def _add_dicom(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--structure", type=_structure, action="append", default=[], metavar="LABEL=REGEX",
        help="label of the structures in whose name the expression is found, in capitals or not; may be repeated, and "
        "the first that fits decides (default: tumour=^GTV)",
    )  # fmt: skip
    add(
        "--suv", choices=["bw", "lbm", "bsa"], default="bw",
        help="PET by body weight, lean body mass or body surface area (default: %(default)s)",
    )  # fmt: skip


def _add_tables(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--tables", type=Path, nargs="+", metavar="FILE",
        help="tables of outcomes and clinical values (default: looked for in SOURCE)",
    )  # fmt: skip
    add(
        "--pet_table", type=Path, metavar="CSV",
        help="makes SUV of PET in Bq/ml: case_id, weight_kg, injected_dose_mbq, minutes_to_scan[, half_life_min], or "
        "HECKTOR 2026's suv_conversion_tags.csv",
    )  # fmt: skip
    add(
        "--labels",
        nargs="+",
        metavar="NAME",
        help="manifest: of the mask's values 1, 2, ... (default: tumour)",
    )


def _structure(text: str) -> tuple[str, str]:
    """Return label and regular expression."""
    label, separator, pattern = text.partition("=")
    try:
        re.compile(pattern)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{pattern}' is not a regular expression ({error})") from error
    if not separator or not pattern or not label.strip() or label.casefold() == "background":
        raise argparse.ArgumentTypeError(f"'{text}' is not LABEL=REGEX, such as GTVp=^GTVp")
    return label.strip(), pattern


def _spacing(text: str) -> float:
    return _millimetres(text, _SPACING_MM)


def _field(text: str) -> float | None:
    return None if text.casefold() == "none" else _millimetres(text, _FIELD_MM)


def _millimetres(text: str, limits: tuple[float, float]) -> float:
    least, most = limits
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:  # NaN neither
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of mm from {least:g} to {most:g}")
    return value


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if every patient was converted, 1 if some could not be, 2 for a user's error, 130 if stopped.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(lambda: _run(args), "stopped; run it again to continue.")


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Exit with a message if options exclude each other or a value is out of range."""
    if not 1 <= args.dataset_id <= 999:
        parser.error(f"-d is {args.dataset_id}, expected 1 to 999")
    check_processes(parser, args)
    if args.seed < 0:
        parser.error(f"--seed is {args.seed}, but must be at least 0")
    if args.spacing and len(args.spacing) not in (1, 3):
        parser.error(f"--spacing takes one number or three, not {len(args.spacing)}")
    if args.spacing and _grid(args) != "iso":
        parser.error("--spacing: only with --grid iso")
    if args.labels and args.format != "manifest":
        parser.error("--labels: only with manifest")
    if args.labels and (fault := _label_fault(args.labels)):
        parser.error(f"--labels: {fault}")
    if args.tables and args.format == "manifest":
        parser.error("--tables: not with manifest, which has the outcomes itself")
    _check_dicom(parser, args)


def _check_dicom(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if len(args.tables or []) > 1 and args.format == "dicom":
        parser.error("--tables: one table with dicom")
    if (args.structure or args.suv != "bw") and args.format not in ("dicom", "manifest"):
        parser.error("--structure and --suv: only with dicom and manifest")
    if args.structure and args.labels:
        parser.error("--labels names the values of mask files, --structure those of DICOM; give one of them")


def _label_fault(names: Sequence[str]) -> str:
    wrong = [name for name in names if not name.strip() or name.casefold() == "background"]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if wrong:
        return f"'{wrong[0]}' cannot name a tumour: value 0 is the background and needs no name"
    return f"'{twice[0]}' occurs twice; each value needs a name of its own" if twice else ""


def _run(args: argparse.Namespace) -> int:
    raw_folder = args.raw_folder or os.environ.get("nnUNet_raw")
    if not raw_folder:
        raise ValueError("Where to write is unknown: set the variable nnUNet_raw or give a folder with -o.")
    check_inputs([args.pet_table, *(args.tables or [])])
    if not args.source.exists():
        raise ValueError(f"{args.source} does not exist.")

    from tqdm import tqdm

    from nnunetv2_adamss.datasets.conversion.conversion_log import Source
    from nnunetv2_adamss.datasets.conversion.convert_cohort import convert_cohort
    from nnunetv2_adamss.datasets.conversion.pet_units import read_suv_factors

    cohort = _cohort(args)
    case_ids = [patient.case_id for patient in cohort.patients]
    factors = read_suv_factors(args.pet_table, case_ids) if args.pet_table else {}
    with tqdm(total=len(case_ids), desc="Patients", unit="patient", disable=no_bar()) as bar:
        report = convert_cohort(
            cohort,
            _settings(args, cohort),
            Path(raw_folder) / f"Dataset{args.dataset_id:03d}_{args.name or args.format}",
            source=Source(args.format, str(args.source.resolve()), tuple(map(str, args.tables or ()))),
            suv_factors=factors,
            num_processes=args.num_processes,
            overwrite=args.overwrite,
            on_case_done=lambda case_id: bar.update(),
        )
    return _print_report(report, args.dataset_id)


def _cohort(args: argparse.Namespace) -> Cohort:
    from nnunetv2_adamss.datasets.conversion.manifest import read_manifest
    from nnunetv2_adamss.datasets.conversion.presets import PRESETS
    from nnunetv2_adamss.datasets.conversion.source_cohort import read_cohort

    if args.format == "dicom":
        return _dicom_cohort(args)
    if args.format == "manifest":
        options = _dicom_options(args)
        return read_manifest(args.source, args.labels or list(options.structures), options)
    preset = PRESETS[args.format]
    return read_cohort(args.source, preset, _grid(args), args.tables)


def _dicom_cohort(args: argparse.Namespace) -> Cohort:
    from tqdm import tqdm

    from nnunetv2_adamss.datasets.conversion.dicom_cohort import read_dicom_cohort

    with tqdm(desc="Headers", unit="file", disable=no_bar()) as bar:

        def show(n_read: int, n_files: int) -> None:
            bar.total = n_files
            bar.update(n_read)

        return read_dicom_cohort(
            args.source,
            _dicom_options(args),
            args.tables and args.tables[0],
            num_processes=args.num_processes,
            on_files_read=show,
        )


def _dicom_options(args: argparse.Namespace) -> DicomOptions:
    from nnunetv2_adamss.datasets.conversion.dicom_patient import DEFAULT_STRUCTURES, DicomOptions

    patterns: dict[str, list[str]] = {}
    for label, pattern in args.structure:
        patterns.setdefault(label, []).append(f"(?:{pattern})")
    first_label = (args.labels or ["tumour"])[0]
    return DicomOptions(
        {label: "|".join(found) for label, found in patterns.items()} or {first_label: DEFAULT_STRUCTURES},
        args.suv,
        "PT" if _grid(args) == "pet" else "CT",
    )


def _grid(args: argparse.Namespace) -> Any:
    from nnunetv2_adamss.datasets.conversion.presets import PRESETS

    return args.grid or (PRESETS[args.format].grid if args.format in PRESETS else "iso")


def _settings(args: argparse.Namespace, cohort: Cohort) -> Any:
    from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings
    from nnunetv2_adamss.datasets.conversion.presets import PRESETS

    spacing_zyx = args.spacing or [1.0]
    preset = PRESETS.get(args.format)
    return CaseSettings(
        grid=_grid(args),
        spacing_xyz_mm=tuple(reversed(spacing_zyx * 3 if len(spacing_zyx) == 1 else spacing_zyx)),
        head_and_neck=args.crop == "head_neck",
        field_mm=getattr(args, "field_mm", preset.field_mm if preset else None),
        seed=args.seed,
        labels=cohort.labels,
        suv=args.suv,
    )


def _print_report(report: ConversionReport, dataset_id: int) -> int:
    from nnunetv2_adamss.datasets.conversion.source_patients import number_of_patients

    print_warnings(report)
    print(text_of(Facts([(name, str(count)) for name, count in report.counts.items()])))
    _print_seconds(report)
    print(f"Written to {report.folder}")
    print(_next(report, dataset_id))
    if not report.broken:
        return 0
    print(f"{number_of_patients(len(report.broken))} could not be converted:", file=sys.stderr)
    for name, fault in sorted(report.broken.items()):
        print(f"  {name}: {fault}", file=sys.stderr)
    return 1


def print_warnings(report: ConversionReport) -> None:
    """Print the warnings of a conversion, on the cohort and on each patient."""
    for warning in report.warnings:
        print(f"WARNING: {warning}", file=sys.stderr)
    for case_id, entry in sorted(report.log.items()):
        for warning in entry["warnings"]:
            print(f"WARNING: {case_id}: {warning}", file=sys.stderr)


def _print_seconds(report: ConversionReport) -> None:
    from nnunetv2_adamss.datasets.conversion.source_patients import number_of_patients

    if report.converted:
        seconds = statistics.median(report.log[case_id]["seconds"] for case_id in report.converted)
        print(f"{number_of_patients(len(report.converted))} converted, {seconds:.1f} seconds each.")
    if n_kept := len(report.log) - len(report.converted):
        print(f"{number_of_patients(n_kept)} there already.")


def _next(report: ConversionReport, dataset_id: int) -> str:
    if not report.counts["with a mask"]:
        return f"No mask to learn from. Next, with a trained model: adamss_predict_survival -i {report.folder}/imagesTs"
    if not report.counts["of them with an event"]:
        return (
            "No event to learn survival from. Next, for Stage I: "
            f"nnUNetv2_plan_and_preprocess -d {dataset_id} --no_pp and adamss_set_normalization -d {dataset_id}"
        )
    return f"Next: adamss_verify_dataset -d {dataset_id}"


if __name__ == "__main__":
    raise SystemExit(main())
