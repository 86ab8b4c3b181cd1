"""The images of new patients: found by name, checked before anything is computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2.utilities.utils import get_identifiers_from_splitted_dataset_folder

from nnunetv2_adamss.radiomics.images import read_on_one_grid


@dataclass(frozen=True)
class PatientImages:
    """The image files of one patient.

    Args:
        case_id: nnU-Net's identifier.
        files: one a channel, in the channels' order; they may not exist.
    """

    case_id: str
    files: tuple[Path, ...]

    def check(self, channel_names: Sequence[str]) -> None:
        """Raise ValueError, with all that is wrong, unless the images are there, on one grid, and hold numbers."""
        read_on_one_grid(dict(zip(channel_names, self.files, strict=True)))


def find_patients(folder: Path, n_channels: int, file_ending: str) -> list[PatientImages]:
    """All cases of which the folder has an image, named as nnU-Net names them: ``CASE_0000`` and so on.

    Raises:
        ValueError: if there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"There is no folder of images {folder}.")
    case_ids = [str(name) for name in get_identifiers_from_splitted_dataset_folder(str(folder), file_ending)]
    if not case_ids:
        raise ValueError(
            f"There are no images in {folder}. nnU-Net names them CASE_0000{file_ending}, CASE_0001{file_ending} and "
            "so on, one file a channel."
        )
    return [
        PatientImages(
            case_id, tuple(folder / f"{case_id}_{channel:04d}{file_ending}" for channel in range(n_channels))
        )
        for case_id in case_ids
    ]
