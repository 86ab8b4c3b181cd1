"""Predict the T and N stage of a patient, with what was fitted beside a survival model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import parse_object
from nnunetv2_adamss.common.kinds import by_name, check_kinds, is_count, list_of
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.tn_stages.lesion_measures import measure_case
from nnunetv2_adamss.tn_stages.stage_classifier import StageClassifier
from nnunetv2_adamss.tn_stages.stage_names import STAGE_COLUMNS

# In the folder of a survival model.
TN_STAGES_FILE = "tn_stages.json"
_COMMAND = "Run adamss_fit_tn_stages for the model again."


@dataclass(frozen=True, eq=False)
class StageModel:
    """Classifiers of both stages.

    Args:
        labels: values of each label or region of the masks.
        classifiers: by ``T`` and ``N``.
        masks_sha256: hashes of the networks that made the masks of the training, by name; none for masks of the user.
    """

    labels: Mapping[str, tuple[int, ...]]
    classifiers: Mapping[str, StageClassifier]
    masks_sha256: Mapping[str, str]

    @property
    def indicators(self) -> list[Indicator]:
        """Clinical indicators of both classifiers, which may have one of the same column."""
        return [indicator for one in self.classifiers.values() for indicator in one.indicators]

    def predict(self, mask_file: Path, ct_file: Path, cells: Mapping[str, str]) -> dict[str, str]:
        """Predict the stages of one patient, by ``T`` and ``N``.

        Args:
            mask_file: predicted, with the labels of the training.
            ct_file: on its grid, in HU.
            cells: clinical values as text by column, empty where unknown.

        Raises:
            ValueError: if an image cannot be used, or a cell of a column of numbers holds text.
        """
        lesions = pd.DataFrame([measure_case(mask_file, ct_file, self.labels)])
        return {
            letter: str(one.predict(lesions, _values(one, cells)).iloc[0])
            for letter, one in self.classifiers.items()
        }

    def write(self, folder: Path, results: Mapping[str, Any]) -> Path:
        """Write ``tn_stages.json`` into the folder of a survival model.

        Args:
            folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
            results: of each stage, to read beside the coefficients.
        """
        file = folder / TN_STAGES_FILE
        content = {
            "labels": {name: list(values) for name, values in self.labels.items()},
            "masks_sha256": dict(self.masks_sha256),
            "stages": {letter: one.to_dict() for letter, one in self.classifiers.items()},
            "out_of_fold": results,
        }
        write_json(file, content)
        return file

    @classmethod
    def read(cls, folder: Path) -> "StageModel | None":
        """Read what was fitted beside a survival model; None if nothing was.

        Raises:
            ValueError: naming the file, if it is damaged.
        """
        file = folder / TN_STAGES_FILE
        return parse_object(file, cls._parse, _COMMAND) if file.is_file() else None

    @classmethod
    def _parse(cls, content: Mapping[str, Any]) -> "StageModel":
        kinds = {"labels": by_name(list_of(is_count)), "masks_sha256": by_name(str)}
        check_kinds(content, kinds | {f"stages.{letter}": dict for letter in STAGE_COLUMNS})
        return cls(
            {name: tuple(values) for name, values in content["labels"].items()},
            {letter: StageClassifier.from_dict(content["stages"][letter]) for letter in STAGE_COLUMNS},
            content["masks_sha256"],
        )


def _values(classifier: StageClassifier, cells: Mapping[str, str]) -> pd.DataFrame:
    """Clinical values of one patient as the classifier's encodings take them."""
    values = {one.name: one.values_of(pd.Series([cells.get(one.name, "")])) for one in classifier.indicators}
    return pd.DataFrame(values, index=[0])
