"""Preprocessed cases: nnU-Net's data sets, with a check before each file is opened."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nnunetv2.training.dataloading.nnunet_dataset import (
    infer_dataset_class,
    nnUNetBaseDataset,
    nnUNetDatasetBlosc2,
    nnUNetDatasetNumpy,
)

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.foreign_files.case_arrays import check_array_file
from nnunetv2_adamss.survival.foreign_files.case_properties import read_properties


class _CheckedCases(nnUNetBaseDataset):
    # Endings of the files that hold arrays; numpy itself refuses code in its own.
    array_endings: tuple[str, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._checked: set[str] = set()

    def check_case(self, identifier: str) -> None:
        """Raise ValueError, naming the file, unless a case's files hold numbers and text only."""
        for ending in self.array_endings:
            check_array_file(Path(self.source_folder, identifier + ending))
        read_properties(Path(self.source_folder, f"{identifier}.pkl"))
        self._checked.add(identifier)

    def load_case(self, identifier: str) -> Any:
        """Load image, reference mask, None and properties, as nnU-Net does.

        Raises:
            ValueError: naming the file, if it is damaged or holds code.
        """
        if identifier not in self._checked:
            self.check_case(identifier)
        try:
            return super().load_case(identifier)
        except OSError:
            raise
        # blosc2 and numpy fail in many ways.
        except Exception as error:
            raise ValueError(
                f"The preprocessed case {identifier} in {self.source_folder} is damaged ({error}). Preprocess the data "
                "set again (nnUNetv2_preprocess)."
            ) from error


class CheckedBlosc2Cases(_CheckedCases, nnUNetDatasetBlosc2):
    """nnU-Net's data set, which refuses files that are damaged or hold code before nnU-Net opens them."""

    array_endings = (".b2nd", "_seg.b2nd")


class CheckedNumpyCases(_CheckedCases, nnUNetDatasetNumpy):
    """The checked data set for files of older versions of nnU-Net."""

    array_endings = ()


def no_cases(folder: Path | str) -> ValueError:
    """Make the error for a plan without preprocessed cases."""
    return ValueError(
        f"There are no preprocessed cases in {folder}. Run nnUNetv2_preprocess by this plan, or choose with -p the "
        "plan that the data set was preprocessed by, such as AdaMSSPlans."
    )


def cases_class(folder: Path | str) -> type[CheckedBlosc2Cases] | type[CheckedNumpyCases]:
    """Choose the class that reads the preprocessed cases of a folder.

    Raises:
        ValueError: if the folder is not there, or holds something else than nnU-Net's cases.
    """
    if not Path(folder).is_dir():
        raise no_cases(folder)
    try:
        nnunets = infer_dataset_class(str(folder))
    except (AssertionError, KeyError) as error:
        raise ValueError(
            f"{folder} holds other files than nnU-Net's preprocessed cases, all of one format. Move them away, or "
            "preprocess the data set again (nnUNetv2_preprocess)."
        ) from error
    return CheckedNumpyCases if issubclass(nnunets, nnUNetDatasetNumpy) else CheckedBlosc2Cases


def open_cases(
    folder: Path | str, case_ids: Iterable[str] | None = None
) -> CheckedBlosc2Cases | CheckedNumpyCases:
    """Open preprocessed cases, each of which is checked when it is loaded.

    Args:
        folder: nnU-Net's, of one configuration.
        case_ids: the cases; by default all in the folder.

    Raises:
        ValueError: if the folder is not there, or holds something else than nnU-Net's cases.
    """
    return cases_class(folder)(str(folder), None if case_ids is None else list(case_ids))


def check_cases(cases: CheckedBlosc2Cases | CheckedNumpyCases) -> None:
    """Raise ValueError, naming all such files, if files of cases are missing, damaged or hold code."""
    faults = []
    for case_id in cases.identifiers:
        try:
            cases.check_case(case_id)
        except (ValueError, OSError) as error:
            faults.append(str(error))
    if faults:
        raise ValueError(f"{len(faults)} preprocessed case(s) cannot be used: {listed(faults)}")
