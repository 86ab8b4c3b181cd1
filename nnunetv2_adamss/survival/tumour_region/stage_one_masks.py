"""Tumour masks of Stage I for the cases of a survival training: predicted once, kept beside the checkpoint."""

import logging
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.configuration import default_num_processes
from nnunetv2.inference.export_prediction import export_prediction_from_logits
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset

from nnunetv2_adamss.common.files import read_json, sha256_of, write_json
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.kinds import is_number, list_of
from nnunetv2_adamss.common.nifti import put_image_in_place
from nnunetv2_adamss.survival.foreign_files.model_checkpoints import check_nnunet_may_open
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel

logger = logging.getLogger(__name__)

# By mirroring, so that two trainings that differ in it do not remove each other's masks.
MASK_FOLDERS = {True: "stage1_masks", False: "stage1_masks_without_mirroring"}
PROVENANCE_FILE = "provenance.json"
_POINT = "likeliest_tumour_point"


class StageOneMasks:
    """The masks of one Stage-I fold, in the images' own space.

    A mask is predicted once: masks in the folder from the same checkpoint and settings are used again.

    Args:
        model: the trained fold.
        mirroring: predict with the mirroring that the checkpoint allows.
    """

    def __init__(self, model: StageOneModel, mirroring: bool) -> None:
        self.model = model
        self.mirroring = mirroring
        self.folder = model.fold_folder / MASK_FOLDERS[mirroring]

    def mask_file(self, case_id: str, file_ending: str) -> Path:
        """File of the mask of a case, once it is predicted."""
        return self.folder / (case_id + file_ending)

    def is_there(self, case_id: str, file_ending: str) -> bool:
        """Return True if the mask of a case exists, and the file beside it, if there is one, can be read."""
        try:
            if self._point_file(case_id).is_file():
                self.likeliest_point(case_id)
        except ValueError:
            return False
        return self.mask_file(case_id, file_ending).is_file()

    def likeliest_point(self, case_id: str) -> np.ndarray:
        """Read the image point of highest foreground probability, ``(3,)``, in voxels from the first voxel's edge.

        Raises:
            ValueError: naming the file, if it does not hold three numbers.
        """
        return np.asarray(read_object(self._point_file(case_id), **{_POINT: list_of(is_number, 3)})[_POINT])

    def discard_outdated(self) -> None:
        """Remove masks that another checkpoint or another version of nnU-Net made.

        Raises:
            ValueError: if the checkpoint does not exist.
        """
        self.model.check_exists()
        provenance = self._provenance()
        file = self.folder / PROVENANCE_FILE
        found = _read_if_whole(file)
        if found != provenance and self.folder.is_dir():
            logger.warning(
                "%s were made by another checkpoint or version of nnU-Net, or do not say by which; predicting again.",
                self.folder,
            )
            shutil.rmtree(self.folder)
        write_json(file, provenance)

    def predict(
        self,
        case_ids: Sequence[str],
        dataset: nnUNetBaseDataset,
        device: torch.device,
        on_case_predicted: Callable[[str], object] = lambda case_id: None,
    ) -> None:
        """Predict from nnU-Net's preprocessed data; a killed run keeps every mask that was finished.

        Args:
            case_ids: the cases.
            dataset: nnU-Net's preprocessed cases.
            device: for the network.
            on_case_predicted: called with each case whose mask is in the folder.
        """
        predictor = stage_one_predictor(
            self.model.model_folder, [self.model.fold], self.model.checkpoint_name, self.mirroring, device
        )
        # For this process alone: trainings of several folds may predict into one folder at the same time.
        unfinished = self.folder / f"unfinished_{platform.node()}_{os.getpid()}"
        unfinished.mkdir(parents=True, exist_ok=True)
        # Bringing masks back to image space keeps a CPU as busy as the network keeps a GPU.
        n_exporters = min(4, default_num_processes) if device.type == "cuda" else 1
        try:
            with ThreadPoolExecutor(n_exporters) as exporters:
                exports: list[tuple[str, Future[None]]] = []
                for case_id in case_ids:
                    # Logits are large: keep no more of them than there are exporters.
                    if len(exports) == n_exporters:
                        _finish(exports, on_case_predicted)
                    data, _, _, properties = dataset.load_case(case_id)
                    logits = predictor.predict_sliding_window_return_logits(torch.from_numpy(data[:])).cpu()
                    export = exporters.submit(
                        self._export, case_id, logits, properties, predictor, unfinished
                    )
                    exports.append((case_id, export))
                while exports:
                    _finish(exports, on_case_predicted)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _export(
        self,
        case_id: str,
        logits: torch.Tensor,
        properties: dict[str, Any],
        predictor: nnUNetPredictor,
        unfinished: Path,
    ) -> None:
        point = likeliest_tumour_point(logits, properties, predictor)
        write_json(self._point_file(case_id), {_POINT: point.tolist()}, indent=None)
        ending = predictor.dataset_json["file_ending"]
        export_prediction_from_logits(
            logits, properties, predictor.configuration_manager, predictor.plans_manager, predictor.dataset_json,
            str(unfinished / case_id), num_threads_torch=torch.get_num_threads(),
        )  # fmt: skip
        # The mask is written last: if it exists, everything does.
        put_image_in_place(unfinished / f"{case_id}{ending}", self.mask_file(case_id, ending))

    def _point_file(self, case_id: str) -> Path:
        return self.folder / f"{case_id}.json"

    def _provenance(self) -> dict[str, Any]:
        return {
            "trainer": self.model.trainer,
            "checkpoint": self.model.checkpoint_name,
            "checkpoint_sha256": sha256_of(self.model.checkpoint),
            "mirroring": self.mirroring,
            "nnunetv2": version("nnunetv2"),
        }


def _read_if_whole(file: Path) -> Any:
    """Read a JSON file; None if it is missing or damaged."""
    try:
        return read_json(file)
    except (FileNotFoundError, ValueError):
        return None


def stage_one_predictor(
    model_folder: Path,
    folds: Sequence[int | str],
    checkpoint_name: str,
    mirroring: bool,
    device: torch.device,
) -> nnUNetPredictor:
    """Make nnU-Net's predictor with the Stage-I networks of these folds.

    Raises:
        ValueError: if a file of the model is damaged, holds code or names anything that is not nnU-Net's or ours, or
            the files do not belong together.
    """
    for fold in folds:
        check_nnunet_may_open(model_folder / f"fold_{fold}" / checkpoint_name)
    predictor = nnUNetPredictor(
        use_mirroring=mirroring,
        perform_everything_on_device=device.type == "cuda",
        device=device,
        allow_tqdm=False,
    )
    try:
        predictor.initialize_from_trained_model_folder(str(model_folder), tuple(folds), checkpoint_name)
    except OSError:
        raise
    # Plans that do not fit the weights fail in many ways inside nnU-Net.
    except Exception as error:
        raise ValueError(
            f"nnU-Net cannot load the network of {model_folder}: its plan, data set and weights do not belong "
            f"together, or one of them is damaged ({type(error).__name__}: {error})."
        ) from error
    return predictor


def _finish(exports: list[tuple[str, "Future[None]"]], on_case_predicted: Callable[[str], object]) -> None:
    case_id, export = exports.pop(0)
    export.result()
    on_case_predicted(case_id)


def likeliest_tumour_point(
    logits: torch.Tensor, properties: dict[str, Any], predictor: nnUNetPredictor
) -> np.ndarray:
    """Find the image point of highest foreground probability, ``(3,)``, in voxels from the first voxel's edge.

    Args:
        logits: of Stage I in the preprocessed grid, ``(channels, *space)``.
        properties: nnU-Net's, of the case.
        predictor: that gave the logits.
    """
    # Logits, since many probabilities are exactly 0 or 1. Labels have a background channel, regions have none.
    tumour = logits.amax(0) if predictor.label_manager.has_regions else logits[1:].amax(0) - logits[0]
    voxel = np.unravel_index(int(tumour.argmax()), tumour.shape)
    grid = PreprocessedGrid.of_case(properties, predictor.plans_manager.transpose_forward, tumour.shape)
    return grid.to_image(np.array(voxel, dtype=np.float64) + 0.5)
