"""Extraction of the radiomics that a survival training needs and that are missing."""

import logging
import os

from nnunetv2.configuration import default_num_processes

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.radiomics.extract_cases import ExtractionReport
from nnunetv2_adamss.radiomics.extraction_progress import progress_bars
from nnunetv2_adamss.radiomics.fold_radiomics import FoldRadiomics
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.setup import SurvivalSetup

logger = logging.getLogger(__name__)


def extract_missing_radiomics(nnunet_fold: NnunetFold, setup: SurvivalSetup, device: str) -> None:
    """Extract the radiomics of the fold's cases, unless they exist for the present masks.

    Args:
        nnunet_fold: plan, configuration and fold.
        setup: of the training, checked without radiomics.
        device: for the prediction of missing masks.

    Raises:
        ValueError: if they cannot be extracted, naming the command that has the options for it.
    """
    case_ids = setup.fold.all_cases
    radiomics = FoldRadiomics(nnunet_fold, setup.fold.config)
    # nnU-Net's number may be beyond the cores, and each process holds the images of a case.
    num_processes = min(default_num_processes, os.cpu_count() or 1)
    try:
        if radiomics.is_current(case_ids):
            return
        with progress_bars() as progress:
            report = radiomics.extract(
                case_ids, device=device, num_processes=num_processes, progress=progress
            )
    except ValueError as error:
        plans, which = nnunet_fold.plans, setup.fold.config.radiomics
        command = (
            f"adamss_extract_radiomics {plans['dataset_name']} {nnunet_fold.configuration} {nnunet_fold.number} "
            f"-p {plans['plans_name']} --radiomics {which}"
        )
        raise ValueError(
            f"The radiomics of this fold cannot be extracted: {error} The command {command} has options for it "
            "(--overwrite, -np; masks as in this training); run it before the training."
        ) from error
    _check_report(report)


def _check_report(report: ExtractionReport) -> None:
    if report.broken:
        broken = [f"{case_id} ({fault})" for case_id, fault in report.broken.items()]
        raise ValueError(
            f"{len(broken)} case(s) have no radiomics: {listed(broken)}. Correct them, or train without radiomics."
        )
    for case_id, notes in report.notes.items():
        logger.warning("Radiomics of %s: %s.", case_id, "; ".join(notes))
