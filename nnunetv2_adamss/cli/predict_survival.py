"""``adamss_predict_survival``: predict tumour masks and survival curves of new patients from raw images."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import (
    check_checkpoints,
    check_images,
    check_inputs,
    check_model,
    folder_of_model,
)
from nnunetv2_adamss.cli.former_spellings import MASKS_DIR, Renamed
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_checkpoint_option,
    add_device_option,
    add_folds_option,
    add_model_options,
    add_trainer_options,
    check_folds,
    checkpoint_name,
    fold_number,
)
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.common.quiet import no_bar

if TYPE_CHECKING:
    from nnunetv2_adamss.prediction.dicom_masks import DicomMasks
    from nnunetv2_adamss.prediction.hecktor.submission import Submission
    from nnunetv2_adamss.prediction.predict_patients import PredictionReport, PredictionRequest

_Item = TypeVar("_Item")

_DESCRIPTION = """\
Predict the survival of new patients: raw images, named as nnU-Net names them, to tumour masks, survival curves and
risk groups. Each fold finds the tumour with its own Stage-I network, and the folds' survival curves are averaged.
"""

_EPILOG = f"""\
examples:
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres                  all five folds
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres -f 0 --clinical patients.csv
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres --c              continue after a stop
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres -f all           the network of all cases
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres -f 0 -device cpu \\
                          -tr AdaMSSSurvTrainer_ShortSchedule                      a first look
  adamss_predict_survival -i dicom -o OUT -d 510 -c 3d_fullres                     converted as the training images were
  adamss_predict_survival -i imagesTs -o OUT -d 510 -c 3d_fullres --dicom_out DICOM --ct_series series.csv
  adamss_predict_survival ... -num_parts 2 -part_id 0     and, beside it, ... -part_id 1

{PLAN_OF_README}

OUT holds survival_predictions.csv (risk, predicted time, risk group, survival at common times, warnings), masks,
covariates.csv and radiomics.csv of what the model used, and prediction.json, their provenance.
"""


_RENAMED = [MASKS_DIR, Renamed("--num_parts", "-num_parts"), Renamed("--part_id", "-part_id")]


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_predict_survival", _DESCRIPTION, _EPILOG, _RENAMED)
    add = parser.add_argument
    add(
        "-i",
        dest="images",
        type=Path,
        required=True,
        metavar="IMAGES",
        help="folder of CASE_0000, CASE_0001, ..., or of DICOM",
    )
    add("-o", dest="output", type=Path, required=True, metavar="OUT", help="output folder")
    add_model_options(parser)
    add(
        "-m",
        dest="model",
        type=Path,
        metavar="MODEL",
        help="the model's folder, or a zip by adamss_export_model, instead of -d, -c, -tr and -p",
    )
    add_trainer_options(parser)
    add_folds_option(parser)
    add_checkpoint_option(parser)
    add_device_option(parser)
    add(
        "--clinical",
        type=Path,
        metavar="FILE.csv",
        help="case_id and the clinical columns that the model uses; empty cells are imputed",
    )
    add(
        "--features",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.csv",
        help="case_id and features of your own that the model uses; may be repeated",
    )
    add(
        "--conversion_log",
        type=Path,
        metavar="FILE.json",
        help="for DICOM: conversion_log.json of the training images (default: in nnUNet_raw)",
    )
    add("--masks", type=Path, metavar="DIR", help="masks of your own instead of predicted ones")
    calibration = parser.add_mutually_exclusive_group()
    calibration.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE.json",
        help="what adamss_calibrate --predictions wrote for your hospital",
    )
    calibration.add_argument(
        "--no_calibration",
        action="store_true",
        help="curves and risks as the networks give them, even if adamss_calibrate was run; there are no risk groups",
    )
    add(
        "--hecktor_submission",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="LOG",
        help="also write HECKTOR's: masks on the published CTs' grids, PatientID,Prediction (a risk). IMAGES are of "
        "adamss_convert_dataset, whose conversion_log.json is looked for in the folder above",
    )
    add(
        "--dicom_out",
        type=Path,
        metavar="FOLDER",
        help="also write the masks as DICOM SEG and RTSTRUCT that refer to the patients' CT series",
    )
    add(
        "--ct_series",
        type=Path,
        metavar="SOURCE",
        help="DICOM files of these series, unless IMAGES are DICOM: a folder with one folder for each case, or a CSV "
        "with the columns case_id and ct (a folder)",
    )
    add("--disable_tta", action="store_true", help="predict masks without mirroring")
    add("--c", dest="continue_prediction", action="store_true", help="keep what an earlier run has finished")
    add("-num_parts", type=int, default=1, metavar="N", help="predict the patients in parts (default: 1)")
    add("-part_id", type=int, default=0, metavar="N", help="which part this run predicts, from 0")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if every patient was predicted and written, 1 if some could not be, 2 for a user's error, 130 if stopped.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(
        lambda: _print_report(*_run(args), calibrated=not args.no_calibration),
        "stopped. The patients that are done are kept; continue with --c.",
    )


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if (args.model is None) == (args.dataset is None or args.configuration is None):
        parser.error("give -d and -c, or -m")
    check_folds(parser, args.folds)
    if not 0 <= args.part_id < args.num_parts:
        parser.error(f"-part_id must be from 0 to {args.num_parts - 1}, not {args.part_id}")
    if args.masks is not None and args.disable_tta:
        parser.error("--masks and --disable_tta exclude each other: given masks are not predicted")
    if args.hecktor_submission is not None and args.num_parts > 1:
        parser.error("--hecktor_submission needs all parts: run once more without -num_parts, with --c")
    if args.dicom_out is None and args.ct_series is not None:
        parser.error("--ct_series: only with --dicom_out")
    if args.dicom_out is not None and args.num_parts > 1:
        parser.error("--dicom_out needs all parts: run once more without -num_parts, with --c")
    if args.dicom_out is not None and args.masks is not None:
        parser.error(
            "--dicom_out and --masks exclude each other: the objects say that AdaMSS found the tumour"
        )


def _run(args: argparse.Namespace) -> tuple[PredictionReport, dict[str, str]]:
    """Return the report, and the reasons why masks could not be written as DICOM, by ``case_id``."""
    _check_files(args)
    model = args.model or folder_of_model(args)
    if args.model is None:
        check_checkpoints(model, args.folds, args.checkpoint)
    else:
        check_model(model, args.folds, args.checkpoint)
    are_dicom = _check_images(args, model)

    from nnunetv2_adamss.prediction.model_files import opened_model

    with opened_model(model) as model_folder:
        check_checkpoints(model_folder, args.folds, args.checkpoint)  # of a zip
        unreadable = _convert_dicom(args, model_folder) if are_dicom else {}
        return _predict(args, model_folder, unreadable)


def _check_files(args: argparse.Namespace) -> None:
    log = None if args.hecktor_submission == Path() else args.hecktor_submission
    files = [args.clinical, *args.features, args.calibration, args.conversion_log, log]
    check_inputs(files, [args.images, args.masks])
    if args.ct_series is not None and not args.ct_series.exists():
        raise ValueError(f"{args.ct_series} (--ct_series) does not exist.")


def _check_images(args: argparse.Namespace, model: Path) -> bool:
    """Return True if the images are DICOM; raise ValueError if they cannot be used as the options say."""
    from nnunetv2_adamss.datasets.conversion.source_patients import holds_dicom

    are_dicom = holds_dicom(args.images)
    if are_dicom and args.num_parts > 1:
        raise ValueError(
            "-num_parts: not with DICOM; convert it first, with adamss_convert_dataset dicom, and predict its imagesTs."
        )
    if not are_dicom and args.dicom_out is not None and args.ct_series is None:
        raise ValueError("--dicom_out needs the patients' CT series: give --ct_series, or DICOM with -i.")
    if not are_dicom:
        check_images(args.images, model)
    return are_dicom


def _predict(
    args: argparse.Namespace, model_folder: Path, unreadable: Mapping[str, str]
) -> tuple[PredictionReport, dict[str, str]]:
    from tqdm import tqdm

    from nnunetv2_adamss.prediction.predict_patients import predict_patients

    request = _request(args, model_folder)
    submission = _submission(args)
    dicom_masks = _dicom_masks(args, model_folder)
    with tqdm(desc="Patients", unit="case", disable=no_bar()) as bar, results_only():
        report = predict_patients(request, bar.reset, lambda case_id: bar.update())
    report.failed.update(unreadable)
    if submission is not None and report.n_predicted + report.n_kept:
        print(f"Submission: {submission.write(report.folder)}")
    if dicom_masks is not None and report.n_predicted + report.n_kept:
        return report, dicom_masks.write(report.folder, _bar)
    return report, {}


def _convert_dicom(args: argparse.Namespace, model_folder: Path) -> dict[str, str]:
    """Convert DICOM, and predict from the converted images.

    Returns:
        The reasons why patients could not be converted, by name.
    """
    from tqdm import tqdm

    from nnunetv2_adamss.cli.convert_dataset import print_warnings
    from nnunetv2_adamss.datasets.conversion.conversion_folder import LOG_FILE
    from nnunetv2_adamss.datasets.conversion.new_dicom_patients import convert_new_patients
    from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder

    log = args.conversion_log or dataset_folder(RAW, model_folder.resolve().parent.name) / LOG_FILE
    if not log.is_file():
        raise ValueError(
            f"DICOM is converted as the training images were, but there is no {log}; give theirs with --conversion_log."
        )
    with tqdm(desc="DICOM", unit="patient", disable=no_bar()) as bar:
        new = convert_new_patients(args.images, log, args.output / "images", lambda case_id: bar.update())
    print_warnings(new.report)
    args.images = new.images
    args.ct_series = args.ct_series or new.ct_series
    return dict(new.report.broken)


def _submission(args: argparse.Namespace) -> Submission | None:
    from nnunetv2_adamss.prediction.hecktor.submission import Submission

    if args.hecktor_submission is None:
        return None
    log = args.hecktor_submission
    return Submission.of(args.images, None if log == Path() else log)


def _dicom_masks(args: argparse.Namespace, model_folder: Path) -> DicomMasks | None:
    from nnunetv2_adamss.prediction.dicom_masks import DicomMasks

    if args.dicom_out is None:
        return None
    return DicomMasks.of(args.images, args.ct_series, model_folder, args.dicom_out)


def _bar(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    from tqdm import tqdm

    return tqdm(items, desc=what, unit="case", disable=no_bar())


def _request(args: argparse.Namespace, model_folder: Path) -> PredictionRequest:
    from nnunetv2_adamss.prediction.predict_patients import PredictionRequest

    return PredictionRequest(
        model_folder=model_folder,
        images=args.images,
        output=args.output,
        folds=[fold_number(fold) for fold in args.folds],
        checkpoint_name=checkpoint_name(args.checkpoint, args.folds[0]),
        device=args.device,
        clinical_csv=args.clinical,
        features_csv=args.features,
        masks_dir=args.masks,
        calibrated=not args.no_calibration,
        calibration_json=args.calibration,
        mirroring=False if args.disable_tta else None,
        continue_prediction=args.continue_prediction,
        num_parts=args.num_parts,
        part_id=args.part_id,
    )


def _print_report(report: PredictionReport, without_dicom: Mapping[str, str], *, calibrated: bool) -> int:
    kept = f", {report.n_kept} kept from before" if report.n_kept else ""
    print(f"{report.n_predicted} patient(s) predicted{kept}: {report.folder}")
    if calibrated and report.calibration == "none":
        print("Survival curves are uncalibrated and there are no risk groups: run adamss_calibrate first.")
    _print_failed(report.failed, "could not be predicted")
    _print_failed(without_dicom, "have no mask in DICOM")
    return 1 if report.failed or without_dicom else 0


def _print_failed(reasons: Mapping[str, str], what: str) -> None:
    if reasons:
        print(f"{len(reasons)} patient(s) {what}:", file=sys.stderr)
    for case_id, reason in reasons.items():
        print(f"  {case_id}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
