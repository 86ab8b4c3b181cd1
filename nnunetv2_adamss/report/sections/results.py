"""Results of the evaluation, in a cross-validation or in new patients."""

from collections.abc import Iterator

from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Text
from nnunetv2_adamss.display.parts import section
from nnunetv2_adamss.display.words import NONE, count, estimate, number, percent, three_decimals
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.evaluation_sections import evaluation_parts
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.predicted_patients import NewPatients
from nnunetv2_adamss.report.sections.stage_one_dice import mean_dice

_ABOUT_OTHERS = ["Volume and SUVmax are those of the masks that the network worked with."]


def glance(out_of_fold: OutOfFold) -> Iterator[Block]:
    """Show the main numbers of the model."""
    dice = mean_dice(out_of_fold.source)
    of_labels = [(f"mean Dice, {label}", number(value)) for label, value in dice.items()]
    yield Facts([*headlines(out_of_fold.evaluation), *of_labels], "headlines")
    yield Text(
        "Each patient was predicted by a network that was not trained on that patient. That says how the method "
        "does on patients like these, not how one network does elsewhere."
    )


def cross_validation(out_of_fold: OutOfFold) -> Iterator[Block]:
    """Show results in the validation patients, and their limits."""
    yield from caveats(out_of_fold)
    yield from subsections(out_of_fold.evaluation, out_of_fold.patients, "results")


def caveats(out_of_fold: OutOfFold) -> Iterator[Notice]:
    """Show the limits of the results in the validation patients."""
    flattered = [fold.name for fold in out_of_fold.folds if fold.epoch_was_chosen_here]
    if flattered:
        yield Notice(
            f"Optimistic: the epoch of {', '.join(flattered)} was chosen on the patients that are evaluated here.",
            is_caution=True,
        )
    if out_of_fold.calibration is None:
        yield Notice(
            f"The curves are uncalibrated: {out_of_fold.why_uncalibrated}. This affects all results about "
            "probabilities, but not the ranking.",
            is_caution=True,
        )
    elif out_of_fold.why_calibration_is_apparent:
        yield Notice(
            "The curves are calibrated, on the outcomes of these same patients, so their calibration looks better "
            f"here than it will elsewhere. {out_of_fold.why_calibration_is_apparent}",
            is_caution=True,
        )
    else:
        yield Notice(
            "The curves are calibrated, those of each fold's patients on the outcomes of the other folds, so their "
            "calibration is what one fold can be expected to have in patients like these."
        )


def in_new_patients(new: NewPatients) -> Iterator[Block]:
    """Show results in patients whose outcomes the user gave."""
    yield Facts(headlines(new.evaluation), "headlines")
    yield from subsections(new.evaluation, new.patients, "new")


def headlines(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the main numbers of an evaluation."""
    facts, harrell = evaluation.cohort, evaluation.harrell_c
    if harrell.interval is None or harrell.reason:
        c_index = (f"Harrell's C: {estimate(harrell)}", NONE)
    else:
        low, high = map(three_decimals, harrell.interval)
        name = f"Harrell's C, 95% interval {low} to {high}, {count(harrell.n_pairs, 'pair')}"
        c_index = (name, three_decimals(harrell.value))
    return [
        ("patients with prediction and outcome", f"{facts.n_patients:,}"),
        ("events", f"{facts.n_events:,} ({percent(1 - facts.censored_fraction)})"),
        c_index,
    ]


def subsections(evaluation: Evaluation, patients: Patients, prefix: str) -> Iterator[Block]:
    """Return all results, each under its own headline.

    Args:
        evaluation: the results.
        patients: of the results.
        prefix: of the identifiers.
    """
    for name, title, part in evaluation_parts(evaluation, patients, _ABOUT_OTHERS):
        made = section(f"{prefix}-{name}", title, [part])
        if made.blocks:
            yield made
