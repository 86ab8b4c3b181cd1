"""The features of a Stage-II fold, from the masks that its training uses and the raw images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.radiomics.extract_cases import ExtractionReport, check_table, extract_features
from nnunetv2_adamss.radiomics.extraction_progress import SILENT, Progress
from nnunetv2_adamss.radiomics.feature_table import read_provenance
from nnunetv2_adamss.radiomics.radiomics_settings import SHIPPED_SETTINGS, RadiomicsSettings
from nnunetv2_adamss.radiomics.request import Extras, RadiomicsCase, RadiomicsRequest
from nnunetv2_adamss.survival.cohort.outcomes_path import SURVIVAL_CSV
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.radiomics_table import provenance_file, radiomics_file
from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import open_cases
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder, raw_images, read_plans
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plans_file import check_configuration
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, choose_masks, mask_provenance
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


@dataclass(frozen=True)
class FoldRadiomics:
    """The features of a fold: their source, their settings and their table.

    Args:
        nnunet_fold: plan, configuration and fold.
        config: of the survival training; its Stage-I network and mask source are used.
        settings: which features, and how; by default those that ``config.radiomics`` names.
        extras: what is extracted beside the tumour's features.

    Raises:
        ValueError: if the settings do not fit the data set's channels.
    """

    nnunet_fold: NnunetFold
    config: SurvivalConfig
    settings: RadiomicsSettings | None = None
    extras: Extras = field(default_factory=Extras)

    @property
    def stage_one(self) -> StageOneModel:
        """Stage-I network of the fold."""
        return StageOneModel.of_fold(self.nnunet_fold, self.config)

    @property
    def table(self) -> Path:
        """The CSV file, beside the Stage-I checkpoint."""
        return radiomics_file(self.stage_one, self.config)

    def is_current(self, case_ids: Sequence[str]) -> bool:
        """Return True if the table exists, is of the present images and masks, and has a row for each of these cases.

        Raises:
            ValueError: if its provenance is damaged.
        """
        file = provenance_file(self.table)
        if not (self.table.is_file() and file.is_file()):
            return False
        provenance = read_provenance(file)
        masks = self._masks(case_ids)
        return (
            provenance["masks"] == mask_provenance(self.config, masks)
            and set(case_ids) <= set(provenance["cases"])
            and provenance["table_sha256"] == sha256_of(self.table)
            and not masks.missing(case_ids)
            and self._newest_input(masks, case_ids) <= self.table.stat().st_mtime_ns
        )

    def _newest_input(self, masks: MaskSource, case_ids: Sequence[str]) -> int:
        """Time of the last change of images and masks; hashing all of them at each start would take minutes."""
        files = [masks.mask_file(case_id) for case_id in case_ids]
        # A table that was copied to another machine can be used without the images.
        if self._raw_folder.is_dir():
            files += [file for images in self._images(case_ids).values() for file in images]
        return max(file.stat().st_mtime_ns for file in files)

    @property
    def _raw_folder(self) -> Path:
        return dataset_folder(RAW, self.nnunet_fold.plans["dataset_name"])

    def extract(
        self,
        case_ids: Sequence[str] | None = None,
        *,
        device: str = "cuda",
        num_processes: int | None = None,
        overwrite: bool = False,
        progress: Progress = SILENT,
    ) -> ExtractionReport:
        """Extract the features, and first predict the masks that are missing.

        Args:
            case_ids: the cases; by default all of the fold.
            device: for the prediction of missing masks.
            num_processes: cases in parallel; None leaves it to joblib.
            overwrite: extract all again, whatever exists.
            progress: callbacks for progress.

        Raises:
            ValueError: if fold, raw data or Stage-I checkpoint do not exist, a case has no image or mask, none has
                features, or there is a table of other settings.
        """
        settings = self.settings or RadiomicsSettings.read(SHIPPED_SETTINGS[self.config.radiomics])
        request = RadiomicsRequest.from_dataset_json(self.nnunet_fold.dataset_json, settings, self.extras)
        chosen = self._all_cases() if case_ids is None else sorted(set(case_ids))
        images = self._images(chosen)
        masks = self._masks(chosen)
        masks.check(chosen)
        check_table(self.table, request, overwrite)
        self._predict_missing(masks, chosen, device, progress)
        progress.on_features(len(chosen))
        return extract_features(
            [RadiomicsCase(case_id, images[case_id], masks.mask_file(case_id)) for case_id in chosen],
            request,
            self.table,
            masks=mask_provenance(self.config, masks),
            elsewhere=self._tables_of_other_folds(),
            num_processes=num_processes,
            overwrite=overwrite,
            on_case_done=progress.on_case_done,
            on_working=progress.on_working,
        )

    def _tables_of_other_folds(self) -> list[Path]:
        """Tables of other folds, which have the same features unless masks are a fold's own."""
        tables = self.table.parents[1].glob(f"fold_*/{self.table.name}")
        return sorted(table for table in tables if table != self.table)

    def _all_cases(self) -> list[str]:
        """All cases of the fold; if there is a survival table, only those with an outcome, as in Stage II."""
        fold, split = self.nnunet_fold, self.nnunet_fold.split()
        table = self._raw_folder / SURVIVAL_CSV
        without = read_survival_table(table, fold.case_ids()).without_outcome if table.is_file() else ()
        return sorted({*split.training, *split.validation} - set(without))

    def _masks(self, case_ids: Sequence[str]) -> MaskSource:
        fold = self.nnunet_fold
        return choose_masks(self.config, self.stage_one, case_ids, fold.file_ending, fold.preprocessed_folder)

    def _images(self, case_ids: Sequence[str]) -> dict[str, tuple[Path, ...]]:
        """The raw images by case, one a channel."""
        raw = self._raw_folder
        if not (raw / "dataset.json").is_file():
            raise ValueError(f"Radiomics needs the original images, but there is no raw data set {raw}.")
        found = raw_images(raw)
        missing = [case_id for case_id in case_ids if case_id not in found]
        if missing:
            raise ValueError(
                f"{len(missing)} case(s) of the fold have no images in {raw}: {listed(missing)}."
            )
        return {case_id: tuple(Path(file) for file in found[case_id]["images"]) for case_id in case_ids}

    def _predict_missing(
        self, masks: MaskSource, case_ids: Sequence[str], device: str, progress: Progress
    ) -> None:
        masks.prepare()
        missing = masks.missing(case_ids)
        if not missing:
            return
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"{len(missing)} masks must be predicted, but PyTorch finds no GPU; add -device cpu to predict them "
                "without one (in Python, device='cpu')."
            )
        progress.on_masks(len(missing))
        cases = open_cases(self.nnunet_fold.cases_folder)
        masks.predict(missing, cases, torch.device(device), progress.on_mask_done)
        if device == "cuda":
            # A training that follows needs the memory, perhaps in another process.
            torch.cuda.empty_cache()


def read_fold(dataset: str, plans_name: str, configuration: str, number: int | str) -> NnunetFold:
    """A fold of a planned data set.

    Args:
        dataset: its name.
        plans_name: plans identifier.
        configuration: such as ``3d_fullres``.
        number: of the fold, or ``all``.

    Raises:
        ValueError: if the data set is not planned, or the plan has no such configuration.
    """
    plans, dataset_json = read_plans(dataset, plans_name)
    check_configuration(plans, configuration)
    return NnunetFold(plans, dataset_json, configuration, number)
