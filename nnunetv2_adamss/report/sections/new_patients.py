"""Predictions of new patients: their model, and all patients in one table."""

from collections.abc import Iterator

import numpy as np

from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Table
from nnunetv2_adamss.display.words import NONE, count, significant
from nnunetv2_adamss.report.predicted_patients import NewPatients
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation


def prediction_facts(source: CrossValidation, new: NewPatients) -> Iterator[Block]:
    """Show model and inputs of the predictions, and patients who could not be predicted."""
    made = new.provenance
    if since := new.folds_trained_since(source):
        yield Notice(
            f"Fold {', '.join(since)} was trained again since these patients were predicted: the curves are those of "
            "the earlier model, all else is about the present one. Predict again.",
            is_caution=True,
        )
    threshold = made["risk_threshold"]
    unit, last = made["time_unit"], max(made["times"])
    yield Facts(
        [
            ("Predicted by", f"{new.predicted_by}, {made['checkpoint']}"),
            ("Endpoint", made["endpoint"] or "not named"),
            ("Curves reach to", f"{significant(last, 4)} {unit}"),
            ("Images", str(made["images"])),
            ("High risk above a risk score of", "no threshold" if threshold is None else significant(threshold, 4)),
        ]
    )  # fmt: skip
    if not made["calibrated"]:
        yield Notice(
            "The curves are not calibrated: the order of patients holds, the height of the curves does not, and "
            f"there are no risk groups. `adamss_calibrate -d {made['dataset']} -c {made['configuration']} -tr "
            f"{made['trainer']} -p {made['plans']}` calibrates the model; then predict again.",
            is_caution=True,
        )
    failed = made["failed"]
    if failed:
        yield Notice(f"{count(len(failed), 'patient')} could not be predicted.", is_caution=True)
        yield Table("Not predicted", ["Patient", "Why"], list(failed.items()), is_prose=True)


def overview(new: NewPatients) -> Iterator[Block]:
    """Show all patients in one table."""
    unit = new.provenance["time_unit"]
    rows = [
        [page.case_id, dict(page.facts).get("Risk group", NONE), significant(page.predicted_time, 4),
         significant(page.predicted_time_sd, 3), " ".join(page.warnings) or NONE]
        for page in new.pages
    ]  # fmt: skip
    yield Table(
        "From the highest to the lowest risk",
        ["Patient", "Risk", f"Predicted mean time ({unit})", "Spread between folds", "Warnings"],
        rows,
        [f"Mean time up to {significant(float(np.max(new.provenance['times'])), 4)} {unit}."],
        is_prose=True,
    )
