"""``adamss_evaluate_survival``: evaluate survival predictions of this package or of any tool."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_cross_validation, check_inputs, folder_of_model
from nnunetv2_adamss.cli.former_spellings import OUTCOMES, Renamed
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_folds_option,
    add_model_options,
    add_trainer_options,
    check_numbered_folds,
)
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.display.text import text_of
from nnunetv2_adamss.trained_folds.fold_files import COVARIATES_ONLY_FILE, PREDICTIONS_FILE

if TYPE_CHECKING:
    from nnunetv2_adamss.evaluation.evaluate_files import EvaluationInputs
    from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

_DESCRIPTION = """\
Evaluate survival predictions against a table of outcomes: C-index (Harrell, Uno), time-dependent AUC, Brier score,
calibration, decision curve, risk groups, each with its interval or the reason why there is none; all by centre where
survival.json names one, and against other predictions or tumour volume and SUVmax.
"""

_EXAMPLES = f"""\
examples:
  adamss_evaluate_survival --predictions a.csv --survival_csv survival.csv -o EVALUATION
  adamss_evaluate_survival --predictions fold_*/validation/survival_predictions.csv --survival_csv survival.csv \\
                           -o EVALUATION
  adamss_evaluate_survival -d 510 -c 3d_fullres -o EVALUATION            the folds of a finished cross-validation
  adamss_evaluate_survival --predictions a.csv --survival_csv survival.csv -o EVALUATION \\
                           --compare clinical=b.csv --compare c.csv
  adamss_evaluate_survival --predictions a.csv --survival_csv survival.csv -o EVALUATION \\
                           --masks MASKS -i imagesTs --reference_masks labelsTs
  adamss_evaluate_survival --masks MASKS --reference_masks labelsTs -o EVALUATION        masks alone

{PLAN_OF_README}

Predictions have a column case_id and a column risk_score (higher = earlier event); predicted_time, risk_group (low,
high) and survival_at_T (probability of living beyond T, in the table's unit) are used if they are there.
"""


def _is_csv(value: str) -> bool:
    return value.endswith(".csv")  # no plan has such a name, since nnU-Net would look for .csv.json


_RENAMED = [
    OUTCOMES,
    Renamed("-p_id", "-p"),
    Renamed("-p", "--predictions", is_old=_is_csv, shown_value="FILE.csv"),
    Renamed("--images", "-i"),
    Renamed("--labels", "--reference_masks"),
]


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser(
        "adamss_evaluate_survival",
        _DESCRIPTION,
        _EXAMPLES,
        _RENAMED,
        usage="%(prog)s --predictions CSV [CSV ...] --survival_csv CSV -o FOLDER [options]\n"
        "       %(prog)s -d DATASET -c CONFIGURATION -o FOLDER [options]\n"
        "       %(prog)s --masks DIR --reference_masks DIR -o FOLDER",
    )
    add = parser.add_argument
    add(
        "--predictions", type=Path, nargs="+", metavar="CSV",
        help="predictions; several files are the folds of one cross-validation",
    )  # fmt: skip
    add("--survival_csv", type=Path, metavar="CSV", help="outcomes, with survival.json beside it")
    add("-o", dest="output", type=Path, metavar="FOLDER", required=True, help="output folder")
    add(
        "--horizons",
        type=float,
        nargs="+",
        metavar="T",
        help="in the table's unit (default: 1, 2, 3, 5 years)",
    )
    add(
        "--tau", type=float, metavar="T",
        help="truncation time of Uno's C (default: where under a tenth would be under observation)",
    )  # fmt: skip
    add(
        "--threshold", type=float, metavar="X",
        help="risk_score from which on a patient is of high risk; never choose it on these patients",
    )  # fmt: skip
    add(
        "--compare", action="append", nargs="+", default=[], metavar="[NAME=]CSV",
        help="other predictions of the same patients, or the files of their folds; may be repeated",
    )  # fmt: skip
    add("--n_resamples", type=int, default=1000, metavar="N", help="of the bootstrap (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    _add_folds(parser)
    _add_masks(parser)
    return parser


def _add_folds(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("of a finished cross-validation, instead of --predictions")
    add_model_options(group)
    add_trainer_options(group)
    add_folds_option(group)


_FOLD_OPTIONS = {"configuration": "-c", "trainer": "-tr", "plans": "-p", "folds": "-f"}


def _add_masks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("masks and images")
    add = group.add_argument
    add("--masks", type=Path, metavar="DIR", help="tumour masks: compare with the tumour's volume alone")
    add("-i", dest="images", type=Path, metavar="DIR", help="with --masks: compare with SUVmax alone")
    add(
        "--pet_channel", type=int, metavar="N", help="of the images (default: the one dataset.json names PET)"
    )
    add("--reference_masks", type=Path, metavar="DIR", help="with --masks: for Dice and F1 of lesions")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(lambda: _evaluate_masks(args) if _has_masks_alone(args) else _evaluate(args))


def _has_masks_alone(args: argparse.Namespace) -> bool:
    """Return True if there is nothing to evaluate but masks."""
    others = (args.predictions, args.dataset, args.survival_csv, args.compare, args.images)
    return bool(args.masks and args.reference_masks) and not any(others)


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if _has_masks_alone(args):
        return
    if bool(args.predictions) == bool(args.dataset):
        parser.error("give either --predictions or -d, or --masks and --reference_masks alone")
    if args.predictions and not args.survival_csv:
        parser.error("--predictions needs --survival_csv")
    if args.dataset and not args.configuration:
        parser.error("-d needs -c")
    given = [flag for name, flag in _FOLD_OPTIONS.items() if getattr(args, name) != parser.get_default(name)]
    if args.predictions and given:
        parser.error(f"{', '.join(given)}: only with -d")
    check_numbered_folds(parser, args.folds)
    if (args.images or args.reference_masks) and not args.masks:
        parser.error("-i and --reference_masks need --masks")
    if args.pet_channel is not None and not args.images:
        parser.error("--pet_channel needs -i")
    if args.n_resamples < 1:
        parser.error(f"--n_resamples is {args.n_resamples}, but must be at least 1")
    times = [*(args.horizons or []), *([] if args.tau is None else [args.tau])]
    if not all(0 < time < float("inf") for time in times):
        parser.error("--horizons and --tau must be numbers above 0")


def _evaluate(args: argparse.Namespace) -> None:
    compare = _compared(args.compare)
    compared = [file for files in compare.values() for file in files]
    check_inputs(
        [*(args.predictions or []), args.survival_csv, *compared],
        [args.masks, args.images, args.reference_masks],
    )
    if args.dataset:
        check_cross_validation(args, PREDICTIONS_FILE)

    from tqdm import tqdm

    from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings
    from nnunetv2_adamss.evaluation.evaluate_files import evaluate_files
    from nnunetv2_adamss.evaluation.evaluation_sections import evaluation_sections

    settings = EvaluationSettings(
        tuple(sorted(set(args.horizons))) if args.horizons else None,
        args.tau,
        args.threshold,
        args.n_resamples,
        args.seed,
    )
    inputs = _inputs(args, compare)
    evaluation, written = evaluate_files(
        inputs, settings, args.output, lambda items, what: tqdm(items, desc=what, disable=no_bar())
    )
    print(text_of(*evaluation_sections(evaluation)))
    print(f"\nWritten to {args.output}: {', '.join(file.name for file in written)}")


def _evaluate_masks(args: argparse.Namespace) -> None:
    check_inputs(folders=[args.masks, args.reference_masks])

    from tqdm import tqdm

    from nnunetv2_adamss.evaluation.evaluation_sections import segmentation_table
    from nnunetv2_adamss.evaluation.image_baselines import segmentation_dice
    from nnunetv2_adamss.evaluation.write_evaluation import write_segmentation

    labels = segmentation_dice(
        args.masks, args.reference_masks, lambda items, what: tqdm(items, desc=what, disable=no_bar())
    )
    written = write_segmentation(args.output, labels)
    print(text_of(segmentation_table(labels)))
    print(f"\nWritten to {args.output}: {', '.join(file.name for file in written)}")


def _inputs(args: argparse.Namespace, compare: dict[str, list[Path]]) -> EvaluationInputs:
    from nnunetv2_adamss.evaluation.evaluate_files import EvaluationInputs

    predictions, survival_csv, notes = args.predictions, args.survival_csv, []
    if args.dataset:
        found = _cross_validation(args)
        predictions, survival_csv, notes = found.files(PREDICTIONS_FILE), found.survival_csv, _optimism(found)
        if covariates_only := found.files(COVARIATES_ONLY_FILE):
            compare = {"covariates without the image": covariates_only, **compare}
    return EvaluationInputs(
        predictions,
        survival_csv,
        compare,
        args.masks,
        args.images,
        args.reference_masks,
        args.pet_channel,
        notes,
    )


def _cross_validation(args: argparse.Namespace) -> CrossValidation:
    from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

    folds = [int(fold) for fold in args.folds]
    return CrossValidation.find(
        folder_of_model(args), folds, PREDICTIONS_FILE, survival_csv=args.survival_csv
    )


def _optimism(found: CrossValidation) -> list[str]:
    """Return a note on the folds whose epoch was chosen on the patients that are evaluated."""
    from nnunetv2_adamss.common.messages import listed

    flattered = [str(fold.number) for fold in found.optimistic_folds]
    note = f"Optimistic: the epoch of fold {listed(flattered)} was chosen on the patients that are evaluated."
    return [note] if flattered else []


def _compared(groups: list[list[str]]) -> dict[str, list[Path]]:
    """Return files by name: the text before the first ``=``, else the first file's own name."""
    compared: dict[str, list[Path]] = {}
    for group in groups:
        name, is_named, first = group[0].partition("=")
        if not is_named:
            name, first = Path(group[0]).stem, group[0]
        if name in compared:
            raise ValueError(f"Two of --compare are called '{name}'; name them: --compare NAME=FILE.")
        compared[name] = [Path(first), *map(Path, group[1:])]
    return compared


if __name__ == "__main__":
    raise SystemExit(main())
