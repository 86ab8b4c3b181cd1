"""Predict the survival of new patients from raw images, in the way of nnU-Net's predictor."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from joblib import delayed
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.utilities.helpers import dummy_context
from numpy.typing import NDArray

from nnunetv2_adamss.common.parallel import in_parallel
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork
from nnunetv2_adamss.prediction.patient_images import PatientImages
from nnunetv2_adamss.prediction.patient_prediction import FoldPrediction, PatientPrediction
from nnunetv2_adamss.prediction.patient_tables import PatientTables
from nnunetv2_adamss.prediction.prediction_folder import MaskFiles
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.prediction.tumours import StageOneTumours, Tumour, TumourFinder
from nnunetv2_adamss.radiomics.extract_case import extract_case
from nnunetv2_adamss.radiomics.needed_features import only_needed
from nnunetv2_adamss.radiomics.request import RadiomicsCase, RadiomicsRequest
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.remarks import remarks_on
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.pooling import predict_region
from nnunetv2_adamss.survival.tumour_region.case_regions import CaseRegion, locate_region
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import (
    crop_size,
    read_within_image,
    region_size,
    tumour_of,
)
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PreparedPatient:
    """A patient whose images are read, checked and preprocessed.

    Args:
        images: the files.
        data: preprocessed by nnU-Net, ``(channels, *space)``.
        properties: nnU-Net's, of the case.
        seconds: that it took.
    """

    images: PatientImages
    data: NDArray[np.float32] = field(repr=False)
    properties: dict[str, Any] = field(repr=False)
    seconds: float


class SurvivalPredictor:
    """A model that is loaded once and predicts many patients.

    Args:
        model: the folds.
        tumours: how their tumours are found.
        device: where the survival networks run.
    """

    def __init__(self, model: SurvivalModel, tumours: TumourFinder, device: torch.device) -> None:
        self.model = model
        self.tumours = tumours
        self.device = device
        self.networks: dict[int | str, SurvivalNetwork] = {
            fold.number: fold.build_network().to(device) for fold in model.folds
        }
        configuration = model.first.configuration_manager
        self.preprocessor = configuration.preprocessor_class(verbose=False)
        self.total_stride = stages_of(configuration).total_stride
        self.region_size = region_size(configuration.spacing, self.total_stride)
        self.crop_size = crop_size(configuration.spacing, self.total_stride)

    @classmethod
    def from_model_folder(
        cls,
        folder: Path,
        folds: Sequence[int | str],
        checkpoint_name: str = "checkpoint_best.pth",
        device: torch.device = torch.device("cuda"),  # noqa: B008  as nnU-Net's predictor
    ) -> "SurvivalPredictor":
        """A model as it was trained, with its own Stage-I networks.

        Args:
            folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION`` of a survival training.
            folds: numbers, or ``all``.
            checkpoint_name: of every fold.
            device: where the networks run.

        Raises:
            ValueError: if a checkpoint does not serve.
        """
        model = SurvivalModel.load(folder, folds, checkpoint_name)
        return cls(model, StageOneTumours(model, device, model.first.survival.config.mirroring), device)

    def prepare(self, images: PatientImages) -> PreparedPatient:
        """Read, check and preprocess the images as nnU-Net's prediction does; may run beside another prediction.

        Raises:
            ValueError: if the images are not there, cannot be read, do not lie on one grid, or have one value
                throughout.
        """
        start = perf_counter()
        first = self.model.first
        reader = first.plans_manager.image_reader_writer_class
        with images.checked(self.model.channel_names, issubclass(reader, SimpleITKIO)) as files:
            data, _, properties = self.preprocessor.run_case(
                files,
                None,
                first.plans_manager,
                first.configuration_manager,
                dict(self.model.dataset_json),
            )
        return PreparedPatient(images, np.asarray(data, dtype=np.float32), properties, perf_counter() - start)

    def predict(self, patient: PreparedPatient, tables: PatientTables, files: MaskFiles) -> PatientPrediction:
        """Find the tumour, describe it, and predict survival, fold by fold.

        Args:
            patient: preprocessed.
            tables: covariates.
            files: where masks are written.

        Raises:
            ValueError: if a mask or what the model needs beside the images does not serve.
        """
        case_id, seconds = patient.images.case_id, {"preprocessing": patient.seconds}
        with _timed(seconds, "segmentation"):
            tumours = self.tumours.find(patient.data, patient.properties, patient.images, files)
        with _timed(seconds, "radiomics"):
            radiomics = self._radiomics(patient.images, tables, tumours)
        with _timed(seconds, "survival"):
            folds = {}
            for fold in self.model.folds:
                number = fold.number
                covariates = tables.of_case(case_id, radiomics[number])
                folds[str(number)] = self._predict_fold(fold, patient, tumours[number], covariates)
        return PatientPrediction(
            case_id,
            folds,
            clinical=tables.clinical_values(case_id),
            features=tables.feature_values(case_id),
            radiomics={str(number): dict(values) for number, values in radiomics.items()},
            seconds=seconds,
        )

    def _radiomics(
        self, images: PatientImages, tables: PatientTables, tumours: Mapping[int | str, Tumour]
    ) -> dict[int | str, dict[str, float]]:
        """The features that each fold uses, of the mask that it sees."""
        wanted = {
            fold.number: [
                name for name in fold.survival.covariates.features.names if name in tables.to_extract
            ]
            for fold in self.model.folds
        }
        tasks = [
            delayed(_extract)(
                fold.number,
                RadiomicsCase(images.case_id, images.files, tumours[fold.number].file),
                (fold.survival.radiomics or {})["request"],
                wanted[fold.number],
            )
            for fold in self.model.folds
            if wanted[fold.number]
        ]
        # One process for each fold: what pyradiomics takes grows with the tumour, and a clinic waits for one patient.
        found: dict[int | str, dict[str, float]] = {number: {} for number in wanted}
        found |= in_parallel(tasks, min(len(tasks), torch.get_num_threads()) or 1)
        return found

    def _predict_fold(
        self, fold: SurvivalCheckpoint, patient: PreparedPatient, tumour: Tumour, tables: CovariateTables
    ) -> FoldPrediction:
        region = self._region(patient, tumour)
        case_id, covariates = patient.images.case_id, fold.survival.covariates
        inputs = covariates.apply(tables, [case_id])[case_id]
        image, valid = read_within_image(patient.data, region.region, self.total_stride)
        batch = [torch.from_numpy(array)[None].to(self.device) for array in (image, valid, inputs)]
        network = self.networks[fold.number]
        with torch.no_grad(), self._autocast():
            outputs = predict_region(
                network, *batch, pool=fold.survival.config.pool, crop_size=self.crop_size
            )
        if not torch.isfinite(outputs).all():
            raise ValueError(f"the survival network of fold {fold.number} gives no finite number")
        return FoldPrediction(
            survival_prob=network.survival_prob(outputs.cpu().double())[0].tolist(),
            tumour_found=region.tumour_found,
            share_of_mask=region.share_of_mask,
            remarks=remarks_on(covariates, tables, [case_id])[case_id],
        )

    def _region(self, patient: PreparedPatient, tumour: Tumour) -> CaseRegion:
        plans_manager = self.model.first.plans_manager
        ignore_label = plans_manager.get_label_manager(dict(self.model.dataset_json)).ignore_label
        grid = PreprocessedGrid.of_case(
            patient.properties, plans_manager.transpose_forward, patient.data.shape[1:]
        )
        return locate_region(
            tumour_of(tumour.mask, ignore_label), tumour.likeliest_point, grid, self.region_size
        )

    def _autocast(self) -> Any:
        # As nnU-Net: mixed precision on CUDA only.
        return torch.autocast("cuda") if self.device.type == "cuda" else dummy_context()


def _extract(
    fold: int | str, case: RadiomicsCase, settings: Mapping[str, Any], columns: list[str]
) -> tuple[int | str, dict[str, float]]:
    """In a process of its own: the features that a fold uses, and which fold it is."""
    request = only_needed(RadiomicsRequest.from_dict(settings), columns)
    found = extract_case(case, request).features
    return fold, {name: found[name] for name in columns if name in found}


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[step] = perf_counter() - start
