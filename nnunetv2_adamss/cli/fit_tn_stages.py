"""``adamss_fit_tn_stages``: fit the T and N stage that HECKTOR 2026 asks for, beside a survival model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_cross_validation, check_inputs, folder_of_model
from nnunetv2_adamss.cli.model_options import (
    add_folds_option,
    add_model_options,
    add_processes_option,
    add_trainer_options,
    check_numbered_folds,
    check_processes,
)
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.text import text_of
from nnunetv2_adamss.display.words import Reasons, count
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS

if TYPE_CHECKING:
    from nnunetv2_adamss.tn_stages.fit_tn_stages import StageFit
    from nnunetv2_adamss.tn_stages.stage_evaluation import StageResult

_DESCRIPTION = """\
Fit classifiers of the T and N stage on the out-of-fold masks of a finished cross-validation: from number, size and
side of the lesions, and the clinical columns. They are evaluated by the folds and written to tn_stages.json in the
model's folder, which adamss_hecktor_inference reads.
"""

_EPILOG = """\
examples:
  adamss_fit_tn_stages -d 26 -c 3d_fullres -p AdaMSSPlans -tr AdaMSSSurvTrainer_Anchored --stages stages.csv
  adamss_fit_tn_stages -d 26 -c 3d_fullres -p AdaMSSPlans -f 0 1 2       only these folds were trained

Stages are read without subgroups: N2a, N2b and N2c are N2.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_fit_tn_stages", _DESCRIPTION, _EPILOG)
    add_model_options(parser, required=True)
    add_trainer_options(parser)
    add_folds_option(parser)
    parser.add_argument(
        "--stages",
        type=Path,
        metavar="CSV",
        help="case_id, t_stage and n_stage (default: columns of the survival table)",
    )
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="DIR",
        help="out-of-fold masks (default: those that the folds predicted)",
    )
    parser.add_argument(
        "--survival_csv",
        type=Path,
        metavar="CSV",
        help="outcomes and clinical columns, only if the table that the model was trained with has moved",
    )
    add_processes_option(parser, 2, "cases that are measured in parallel")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_numbered_folds(parser, args.folds)
    check_processes(parser, args)
    return parser.run(lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    check_inputs([args.stages, args.survival_csv], [args.masks])
    check_cross_validation(args, CHECKPOINTS["last"])
    found = _fit(args)
    print(text_of(*(_table(letter, result) for letter, result in found.results.items())))
    print(f"Written to {found.file}")


def _fit(args: argparse.Namespace) -> StageFit:
    from tqdm import tqdm

    from nnunetv2_adamss.tn_stages.fit_tn_stages import fit_tn_stages
    from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

    validation = CrossValidation.find(
        folder_of_model(args),
        [int(fold) for fold in args.folds],
        CHECKPOINTS["last"],
        survival_csv=args.survival_csv,
    )
    with tqdm(desc="lesions", unit="case", disable=no_bar()) as bar:
        return fit_tn_stages(
            validation,
            args.stages,
            args.masks,
            num_processes=args.num_processes,
            on_start=bar.reset,
            on_case_done=lambda case_id: bar.update(),
        )


def _table(letter: str, result: StageResult) -> Table:
    reasons = Reasons()
    rows = [[name, reasons.cell(name, found)] for name, found in result.balanced_accuracy.items()]
    counts = result.confusion.sum(axis=1)
    stages = ", ".join(f"{stage} ({n})" for stage, n in counts.items())
    return Table(
        f"{letter} stage, out of fold: {count(int(counts.sum()), 'case')}: {stages}",
        ["predicted from", "balanced accuracy [95% interval]"],
        rows,
        reasons.notes(),
    )


if __name__ == "__main__":
    raise SystemExit(main())
