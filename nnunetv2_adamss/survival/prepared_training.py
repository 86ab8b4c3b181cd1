"""The record of a training's preparation, so that its covariates are fitted only once.

``adamss_finetune_survival`` writes it, and the trainer, which nnU-Net starts, uses it if nothing has changed since.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import FAULTS, read_object
from nnunetv2_adamss.common.kinds import list_of
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit, NnunetFold
from nnunetv2_adamss.survival.setup import SurvivalSetup

PREPARED_FILE = "survival_prepared.json"


def write_prepared(
    fold_folder: Path, setup: SurvivalSetup, use: CovariateUse, remarks: Sequence[str]
) -> None:
    """Write the record into a fold's folder, completely or not at all.

    Args:
        fold_folder: nnU-Net's.
        setup: the new training.
        use: the covariates that the network gets.
        remarks: messages logged meanwhile, for the training's log.
    """
    record = {**_made_by(use), "survival": setup.fold.to_dict(), "remarks": list(remarks)}
    write_json(fold_folder / PREPARED_FILE, record, indent=None)


def read_prepared(
    fold_folder: Path,
    nnunet_fold: NnunetFold,
    config: SurvivalConfig,
    split: FoldSplit,
    *,
    use: CovariateUse,
    network: str,
) -> tuple[SurvivalSetup, list[str]] | None:
    """Read a prepared training, and the messages logged meanwhile; None if it must be prepared now.

    Args:
        fold_folder: nnU-Net's.
        nnunet_fold: plan, configuration and fold.
        config: the settings.
        split: nnU-Net's.
        use: the covariates that the network gets.
        network: name of the survival network.

    Returns:
        None also if the record differs from this training in anything: settings, files, Stage I, version.
    """
    file = fold_folder / PREPARED_FILE
    try:
        record = read_object(file, survival=dict, remarks=list_of(str))
        fold = SurvivalFold.from_dict(record["survival"])
        is_of_this = {name: record.get(name) for name in _made_by(use)} == _made_by(use)
        if not is_of_this or fold.config != config or fold.network != network:
            return None
        setup = SurvivalSetup.resume(nnunet_fold, fold, split, use)
        is_unchanged = setup.origin() == {"sources": fold.sources, "radiomics": fold.radiomics}
    # Faults in the files of the training are reported when it is prepared.
    except (OSError, *FAULTS):
        return None
    return (setup, record["remarks"]) if is_unchanged else None


def _made_by(use: CovariateUse) -> Mapping[str, Any]:
    return {"version": version("nnunetv2-adamss"), "use": use._asdict()}
