"""``adamss_explain``: explain the network of a trained fold, in both stages, by tables, maps and pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_checkpoints, folder_of_model
from nnunetv2_adamss.cli.fold_options import check_fold_options
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_checkpoint_option,
    add_device_option,
    add_fold_arguments,
    add_trainer_options,
    checkpoint_name,
    fold_number,
)
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.text import text_of
from nnunetv2_adamss.display.words import number

if TYPE_CHECKING:
    from nnunetv2_adamss.explanation.explain_fold import ExplanationReport
    from nnunetv2_adamss.explanation.explanation_settings import ExplanationSettings

_DESCRIPTION = """\
Show what the network of a trained fold does, on its validation cases: how much each encoder stage takes from the fusion
branch (Table IV of the paper), where the decoder looks (Fig. 3), both in Stage I and Stage II, and how the predicted
risk changes when a block of the image or a whole modality is blanked.
"""

_EXAMPLES = f"""\
examples:
  adamss_explain 510 3d_fullres 0
  adamss_explain 510 3d_fullres 0 --cases patient_007 patient_012 --all_levels
  adamss_explain 510 3d_fullres 0 --occlusion_mm 16 --occlusion_step_mm 8 --occlude_channel PET
  adamss_explain 510 3d_fullres 0 -device cpu --no_occlusion        seconds a case, without a GPU

{PLAN_OF_README}

Results lie in the fold's folder, in explanation/, or in the folder of -o. The command can be stopped at any time;
run it again to continue.
"""


def build_parser() -> CommandParser:
    """Return the parser; options of the settings that the user does not give are absent from its result."""
    parser = CommandParser("adamss_explain", _DESCRIPTION, _EXAMPLES)
    add = parser.add_argument
    add_fold_arguments(parser, fold="number of the fold, or all, whose training cases are explained")
    add_trainer_options(parser)
    add_checkpoint_option(parser)
    add_device_option(parser)
    add(
        "-o",
        dest="output",
        type=Path,
        metavar="DIR",
        help="folder to write to (default: explanation/ in the fold's)",
    )
    add("--overwrite", action="store_true", help="replace explanations that are there already")
    _add_settings(parser)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("maps")
    absent = argparse.SUPPRESS

    def add(flag: str, **options: Any) -> None:
        group.add_argument(flag, default=absent, **options)

    add(
        "--cases", nargs="+", metavar="CASE", help="make maps of these cases (default: the first of the fold)"
    )
    add("--max_cases", type=int, metavar="N", help="number of cases, unless --cases names them (default: 10)")
    add(
        "--all_levels",
        action="store_true",
        help="NIfTI of every decoder level's attention, not only the finest's",
    )
    group.add_argument(
        "--no_occlusion", dest="occlusion", action="store_false", default=absent, help="no occlusion maps"
    )
    add("--occlusion_mm", type=float, metavar="MM", help="side of a block that is blanked (default: 20)")
    add("--occlusion_step_mm", type=float, metavar="MM", help="from block to block (default: a block's side)")
    add("--occlude_channel", metavar="NAME", help="blank the blocks of this modality only (default: of all)")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_fold_options(parser, vars(args))
    return parser.run(lambda: _print_report(_run(args)), "stopped; run it again to continue.")


def _run(args: argparse.Namespace) -> ExplanationReport:
    settings = _settings(args)
    check_checkpoints(folder_of_model(args), [args.fold], args.checkpoint)

    from nnunetv2_adamss.explanation.explain_fold import explain
    from nnunetv2_adamss.explanation.explained_model import open_trained_fold

    with results_only():
        model = open_trained_fold(
            args.dataset,
            args.configuration,
            fold_number(args.fold),
            trainer=args.trainer,
            plans=args.plans,
            checkpoint=checkpoint_name(args.checkpoint, args.fold),
            device=args.device,
        )
        return explain(model, settings, args.output, overwrite=args.overwrite)


def _settings(args: argparse.Namespace) -> ExplanationSettings:
    from nnunetv2_adamss.explanation.explanation_settings import ExplanationSettings

    own = (
        "dataset",
        "configuration",
        "fold",
        "trainer",
        "plans",
        "checkpoint",
        "device",
        "output",
        "overwrite",
    )
    asked: dict[str, Any] = {name: value for name, value in vars(args).items() if name not in own}
    return ExplanationSettings(**asked | {"cases": tuple(asked.get("cases", ()))})


def _print_report(report: ExplanationReport) -> None:
    kind = "training" if report.in_sample else "validation"
    caption = f"Mean weight of the fusion branch (Table IV), {report.n_cases} {kind} cases:"
    rows = [
        [str(row["encoder_stage"]), number(row["stage_one"], 3), number(row["stage_two"], 3)]
        for row in report.table_four.to_dict("records")
    ]
    print(text_of(Table(caption, ["encoder stage", "Stage I", "Stage II"], rows)))
    if report.in_sample:
        print("The network was trained on these cases: fold 'all' has no others.")
    n_maps = len(report.cases_with_maps)
    if n_maps < report.n_cases:
        print(
            f"Maps are of {n_maps} of the {report.n_cases} cases; choose others with --cases, or more with --max_cases."
        )
    print(f"Written to {report.folder}")


if __name__ == "__main__":
    raise SystemExit(main())
