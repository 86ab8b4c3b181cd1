"""Predict all patients of a folder in turn; resumable, and not stopped by faulty patients."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nnunetv2_adamss.common.device import torch_device
from nnunetv2_adamss.prediction.calibration import NO_CALIBRATION, OF_MODEL, Calibration
from nnunetv2_adamss.prediction.calibration_files import read_calibration
from nnunetv2_adamss.prediction.patient_images import PatientImages, find_patients, stamp_of
from nnunetv2_adamss.prediction.patient_tables import PatientTables
from nnunetv2_adamss.prediction.prediction_folder import PredictionFolder
from nnunetv2_adamss.prediction.predictor import PreparedPatient, SurvivalPredictor
from nnunetv2_adamss.prediction.result_tables import ResultTables
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.prediction.tumours import GivenTumours, StageOneTumours, TumourFinder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictionRequest:
    """Patients, model and settings of a prediction.

    Args:
        model_folder: nnU-Net's, of a survival training.
        images: folder of the patients' images, named as nnU-Net names them.
        output: folder of the results.
        folds: numbers, or ``all``.
        checkpoint_name: of every fold.
        device: cpu, cuda or mps.
        clinical_csv: clinical data of the patients.
        features_csv: tables of the user's own features.
        masks_dir: masks to use instead of predicted ones.
        calibrated: whether curves are calibrated if the model has a calibration; False for the networks' own curves.
        calibration_json: a recalibration for the hospital at hand.
        mirroring: whether Stage I mirrors; None for as in training.
        continue_prediction: keep patients that an earlier run finished.
        num_parts: number of parts of the patients, each predicted by a separate run.
        part_id: index of this run's part, from 0.
    """

    model_folder: Path
    images: Path
    output: Path
    folds: Sequence[int | str]
    checkpoint_name: str
    device: str = "cuda"
    clinical_csv: Path | None = None
    features_csv: Sequence[Path] = ()
    masks_dir: Path | None = None
    calibrated: bool = True
    calibration_json: Path | None = None
    mirroring: bool | None = None
    continue_prediction: bool = False
    num_parts: int = 1
    part_id: int = 0


@dataclass
class PredictionReport:
    """Results of this run.

    Args:
        folder: of the results.
        n_predicted: number of patients that this run predicted.
        n_kept: number of patients that an earlier run had predicted.
        failed: reasons why the others could not be predicted, by ``case_id``.
        calibration: of the survival curves: ``none``, ``model`` or ``hospital``.
    """

    folder: Path
    calibration: str
    n_predicted: int = 0
    n_kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def predict_patients(
    request: PredictionRequest,
    on_start: Callable[[int], object] = lambda n_patients: None,
    on_patient_done: Callable[[str], object] = lambda case_id: None,
) -> PredictionReport:
    """Predict every patient of a folder; each finished one is saved, and faulty ones do not stop the others.

    Args:
        request: patients, model and settings.
        on_start: called with the number of patients.
        on_patient_done: called with each patient, predicted or not.

    Raises:
        ValueError: before anything is predicted, if model, tables or folders cannot be used.
    """
    device = torch_device(request.device, "predict")
    model = SurvivalModel.load(request.model_folder, request.folds, request.checkpoint_name)
    if not request.calibrated:
        model = replace(model, calibration=None)
    tables = PatientTables.read(model, request.clinical_csv, request.features_csv)
    recalibration = _recalibration(request, model)
    ending = str(model.dataset_json["file_ending"])
    patients = find_patients(request.images, len(model.channel_names), ending)
    folder = PredictionFolder(
        request.output, ending, _made_by(request, model), _made_from(request, patients, ending, tables)
    )
    results = ResultTables(model, recalibration)
    report = PredictionReport(request.output, results.calibration)
    part = patients[request.part_id :: request.num_parts]
    done = set(folder.predictions()) if request.continue_prediction else set()
    left = [patient for patient in part if patient.case_id not in done]
    report.n_kept = len(part) - len(left)
    on_start(len(left))
    if left:
        predictor = SurvivalPredictor(model, _tumours(request, model, device), device)
        folder.discard(patient.case_id for patient in left)
        for case_id in _Run(predictor, tables, folder, report).predict(left):
            on_patient_done(case_id)
    results.write(folder, _provenance(request, model))
    return report


@dataclass(frozen=True)
class _Run:
    """Predicts patient by patient and counts the results."""

    predictor: SurvivalPredictor
    tables: PatientTables
    folder: PredictionFolder
    report: PredictionReport

    def predict(self, patients: Sequence[PatientImages]) -> Iterator[str]:
        """Yield each ``case_id`` when it is done; meanwhile the next patient is read and preprocessed."""
        with ThreadPoolExecutor(1) as reader:
            waiting = reader.submit(self._prepare, patients[0])
            for images, following in zip(patients, [*patients[1:], None], strict=True):
                current = waiting
                current.exception()  # waits, so that at most two patients are in the memory
                if following is not None:
                    waiting = reader.submit(self._prepare, following)
                self._predict_one(images, current)
                yield images.case_id

    def _prepare(self, images: PatientImages) -> PreparedPatient:
        faults = self.tables.faults_of(images.case_id, self.predictor.model)
        if faults:
            raise ValueError("; ".join(faults))
        return self.predictor.prepare(images)

    def _predict_one(self, images: PatientImages, prepared: "Future[PreparedPatient]") -> None:
        try:
            files = self.folder.mask_files(images.case_id, self.predictor.model.fold_numbers)
            self.folder.keep(self.predictor.predict(prepared.result(), self.tables, files))
            self.report.n_predicted += 1
        # No error of one patient, from a damaged file to a fault of a library, may stop the others.
        except Exception as error:
            words = str(error) or "no message; nnU-Net may have printed more"
            reason = words if isinstance(error, ValueError) else f"{type(error).__name__}: {words}"
            self.folder.keep_failure(images.case_id, reason)
            self.report.failed[images.case_id] = reason


def _tumours(request: PredictionRequest, model: SurvivalModel, device: torch.device) -> TumourFinder:
    if request.masks_dir is not None:
        return GivenTumours(model, request.masks_dir)
    source = model.first.survival.config.mask_source
    if source in ("groundtruth", "folder"):
        logger.warning(
            "The model was trained with reference or given masks (%s), but works with predicted ones here; give masks "
            "of the same kind with --masks if you have them.",
            source,
        )
    return StageOneTumours(model, device, bool(_mirroring(request, model)))


def _mirroring(request: PredictionRequest, model: SurvivalModel) -> bool | None:
    """Return True if masks are predicted with mirroring; None if they are given."""
    if request.masks_dir is not None:
        return None
    return model.first.survival.config.mirroring if request.mirroring is None else request.mirroring


def _recalibration(request: PredictionRequest, model: SurvivalModel) -> Calibration | None:
    if request.calibration_json is None:
        return None
    calibration = read_calibration(request.calibration_json)
    calibration.check_times(model.times)
    _check_of_this_model(calibration, request, model)
    expected = NO_CALIBRATION if model.calibration is None else OF_MODEL
    if calibration.on != expected:
        raise ValueError(
            f"{request.calibration_json} was fitted on curves with calibration '{calibration.on}', but this model "
            f"gives curves with calibration '{expected}'. Predict the hospital's patients again without --calibration, "
            "and give the result to adamss_calibrate --predictions."
        )
    return calibration


def _check_of_this_model(calibration: Calibration, request: PredictionRequest, model: SurvivalModel) -> None:
    of_model, own = (
        {name: value for name, value in sha256.items() if name.startswith("fold ")}
        for sha256 in (calibration.sha256, model.sha256)
    )
    if not of_model:
        logger.warning(
            "%s does not say which model's predictions it was fitted on; it must be this one's.",
            request.calibration_json,
        )
    elif of_model != own:
        raise ValueError(
            f"{request.calibration_json} was fitted on predictions of another model or of other folds than those in "
            "use. Predict the hospital's patients with this one, and give the result to adamss_calibrate --predictions."
        )


def _made_by(request: PredictionRequest, model: SurvivalModel) -> dict[str, Any]:
    return {
        "checkpoints_sha256": dict(model.sha256),
        "given_masks": request.masks_dir is not None,
        "mirroring": _mirroring(request, model),
        "version": version("nnunetv2-adamss"),
    }


def _made_from(
    request: PredictionRequest, patients: Sequence[PatientImages], ending: str, tables: PatientTables
) -> dict[str, dict[str, Any]]:
    masks = request.masks_dir
    return {
        patient.case_id: {
            "images": patient.stamps(),
            "mask": None if masks is None else stamp_of(masks / f"{patient.case_id}{ending}"),
            "clinical": tables.clinical_values(patient.case_id),
            "features": tables.feature_values(patient.case_id),
        }
        for patient in patients
    }


def _provenance(request: PredictionRequest, model: SurvivalModel) -> dict[str, Any]:
    files = {
        "images": request.images,
        "masks_dir": request.masks_dir,
        "clinical": request.clinical_csv,
        "calibration_json": request.calibration_json,
    }
    return {
        **{name: None if file is None else str(file.resolve()) for name, file in files.items()},
        "features": [str(file.resolve()) for file in request.features_csv],
        "mirroring": _mirroring(request, model),
    }
