"""``adamss_hecktor_inference``: predict one patient of HECKTOR 2025 or 2026 in the challenge's container."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs, check_model
from nnunetv2_adamss.cli.former_spellings import Renamed
from nnunetv2_adamss.cli.model_options import (
    add_checkpoint_option,
    add_device_option,
    add_folds_option,
    check_folds,
    checkpoint_name,
    fold_number,
)
from nnunetv2_adamss.cli.verbosity import results_only

_DESCRIPTION = """\
Predict the one patient whose CT, PET and ehr.json are in /input; write rfs.json, the tumour mask, on the CT's grid, and
the T and N stage, if adamss_fit_tn_stages was run for the model, to /output. Images are converted as those were that
the model was trained on.
"""

_EPILOG = """\
examples:
  adamss_hecktor_inference --rfs_output days \\
                           -m /opt/ml/model/AdaMSSSurvTrainer_Anchored__AdaMSSPlans__3d_fullres \\
                           --conversion_log /opt/ml/model/conversion_log.json

Editions differ in what rfs.json must hold, and the wrong choice reverses the ranking, so --rfs_output has no default.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_hecktor_inference",
        _DESCRIPTION,
        _EPILOG,
        [Renamed("--input", "-i"), Renamed("--output", "-o")],
    )
    add = parser.add_argument
    add(
        "--rfs_output", choices=["days", "risk"], required=True,
        help="what rfs.json holds: predicted days (higher = later), or a risk (higher = earlier)",
    )  # fmt: skip
    add(
        "-m", dest="model", type=Path, required=True, metavar="MODEL",
        help="the survival model's folder, with that of its segmentation model beside it, or a zip by "
        "adamss_export_model",
    )  # fmt: skip
    add(
        "--conversion_log", type=Path, required=True, metavar="FILE.json",
        help="of the data set that the model was trained on; only its settings are read",
    )  # fmt: skip
    add("-i", dest="input", type=Path, default=Path("/input"), metavar="DIR", help="default: %(default)s")
    add("-o", dest="output", type=Path, default=Path("/output"), metavar="DIR", help="default: %(default)s")
    add(
        "--mask_name", default="head-neck-tumor-segmentation", metavar="NAME",
        help="the mask is written to images/NAME/output.mha (default: %(default)s, of 2026)",
    )  # fmt: skip
    add(
        "--stage_files", nargs=2, default=["t-stage.json", "n-stage.json"], metavar=("T", "N"),
        help="names of the files of the stages (default: t-stage.json n-stage.json, of 2026)",
    )  # fmt: skip
    add_folds_option(parser)
    add_checkpoint_option(parser)
    add_device_option(parser)
    add("--disable_tta", action="store_true", help="predict masks without mirroring: an eighth of the time")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 an error, reported in one sentence on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_folds(parser, args.folds)
    return parser.run(lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.prediction.hecktor.earlier_results import remove_results

    remove_results(args.output, args.stage_files)
    check_inputs([args.conversion_log], [args.input])
    check_model(args.model, args.folds, args.checkpoint)

    from nnunetv2_adamss.prediction.hecktor.inference import InferenceRequest, predict_container

    request = InferenceRequest(
        input=args.input,
        output=args.output,
        rfs_output=args.rfs_output,
        model=args.model,
        conversion_log=args.conversion_log,
        mask_name=args.mask_name,
        stage_files=tuple(args.stage_files),
        folds=[fold_number(fold) for fold in args.folds],
        checkpoint_name=checkpoint_name(args.checkpoint, args.folds[0]),
        device=args.device,
        mirroring=False if args.disable_tta else None,
    )
    with results_only():
        report = predict_container(request)
    for warning in report.warnings:
        print(f"WARNING: {warning}", file=sys.stderr)
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in report.seconds.items())
    print(f"Seconds: {steps}")
    found = ", ".join(report.stages.values()) or "none: adamss_fit_tn_stages was not run for this model"
    print(f"T and N stage: {found}")
    print(f"rfs.json: {report.rfs:g} ({args.rfs_output}); written to {args.output}")


if __name__ == "__main__":
    raise SystemExit(main())
