"""The planned data set and the fold of a survival training."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.survival.cohort.splits_file import split_of_fold
from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import cases_class, no_cases
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, dataset_folder


class FoldSplit(NamedTuple):
    """nnU-Net's split of one fold; both parts are the same for fold ``all``."""

    training: list[str]
    validation: list[str]


@dataclass(frozen=True, eq=False)
class NnunetFold:
    """Plan, data set, configuration and fold, from which nnU-Net builds a trainer.

    Args:
        plans: content of the plans file.
        dataset_json: content of ``dataset.json``.
        configuration: such as ``3d_fullres``.
        number: of the fold, or ``all``.
    """

    plans: Mapping[str, Any]
    dataset_json: Mapping[str, Any]
    configuration: str
    number: int | str

    @property
    def preprocessed_folder(self) -> Path:
        """Folder of the preprocessed data set."""
        return dataset_folder(PREPROCESSED, self.plans["dataset_name"])

    @property
    def cases_folder(self) -> Path:
        """Folder of the cases that are preprocessed for this configuration."""
        configuration = PlansManager(dict(self.plans)).get_configuration(self.configuration)
        return self.preprocessed_folder / str(configuration.data_identifier)

    @property
    def file_ending(self) -> str:
        """File ending of images and masks."""
        return str(self.dataset_json["file_ending"])

    def case_ids(self) -> list[str]:
        """List the cases that are preprocessed for this configuration.

        Raises:
            ValueError: if there are none.
        """
        folder = self.cases_folder
        case_ids = cases_class(folder).get_identifiers(str(folder)) if folder.is_dir() else []
        if not case_ids:
            raise no_cases(folder)
        return sorted(case_ids)

    def split(self) -> FoldSplit:
        """Read the split that nnU-Net will use.

        Raises:
            ValueError: if the fold does not exist; nnU-Net itself would draw a random split.
        """
        if self.number == "all":
            return FoldSplit(self.case_ids(), self.case_ids())
        split = split_of_fold(self.preprocessed_folder, int(self.number))
        return FoldSplit(split["train"], split["val"])
