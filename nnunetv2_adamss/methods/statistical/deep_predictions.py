"""Check that predictions of new patients are of the network, weights and scale that a method was fitted on."""

import logging
from collections.abc import Mapping
from pathlib import Path

from nnunetv2_adamss.common.messages import listed, shortened
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.methods.statistical.deep_network import DeepNetwork
from nnunetv2_adamss.prediction.calibration import CALIBRATION_COLUMN, NO_CALIBRATION
from nnunetv2_adamss.prediction.prediction_folder import PROVENANCE_FILE
from nnunetv2_adamss.prediction.provenance_file import read_provenance

logger = logging.getLogger(__name__)


def check_deep_predictions(predictions_csv: Path, networks: Mapping[int, DeepNetwork]) -> None:
    """Raise ValueError unless a file's risks are of the networks that a method's folds were fitted on.

    Args:
        predictions_csv: as ``adamss_predict_survival`` writes it.
        networks: that the folds were fitted on, by number; all of one trainer.
    """
    _check_uncalibrated(predictions_csv)
    first = next(iter(networks.values()))
    folds = " ".join(map(str, networks))
    command = f"adamss_predict_survival -tr {first.trainer} -f {folds} -chk {first.checkpoint}"
    file = predictions_csv.with_name(PROVENANCE_FILE)
    if not file.is_file():
        logger.warning(
            "%s has no %s beside it, which names the model; it must be of %s.",
            predictions_csv,
            PROVENANCE_FILE,
            command,
        )
        return
    made = read_provenance(file, "trainer", "checkpoint", "folds", "checkpoints_sha256")
    differing = [
        f"{name} {made[name]}"
        for name, value in (("trainer", first.trainer), ("checkpoint", first.checkpoint))
        if made[name] != value
    ]
    if set(made["folds"]) != set(networks):
        differing.append(f"folds {' '.join(map(str, made['folds']))}")
    if differing:
        raise ValueError(
            f"{predictions_csv} is of {listed(differing)}, not of what the method was fitted on. Predict the patients "
            f"with {command}."
        )
    retrained = [
        str(number)
        for number, network in networks.items()
        if network.sha256[f"fold {number}"] != made["checkpoints_sha256"].get(f"fold {number}")
    ]
    if retrained:
        raise ValueError(
            f"{predictions_csv} is of other weights of fold {', '.join(retrained)} of {first.trainer} than the method "
            f"was fitted on. Fit these folds again with adamss_fit_statistical --overwrite, and predict the patients "
            f"with {command}."
        )


def _check_uncalibrated(predictions_csv: Path) -> None:
    cells = read_cells(predictions_csv)
    found = set(cells[CALIBRATION_COLUMN]) if CALIBRATION_COLUMN in cells else set()
    if calibrated := [shortened(value) for value in sorted(found - {NO_CALIBRATION})]:
        raise ValueError(
            f"{predictions_csv} holds risks of calibrated curves ('{CALIBRATION_COLUMN}' is {listed(calibrated)}), but "
            "the method was fitted on those of curves as the network gives them. Predict the patients with "
            "--no_calibration."
        )
