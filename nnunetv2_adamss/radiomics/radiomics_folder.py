"""The cases of any two folders of images and masks that are named as nnU-Net names them."""

from collections.abc import Sequence
from pathlib import Path

from nnunetv2_adamss.common.case_names import check_case_names, is_leftover
from nnunetv2_adamss.radiomics.request import RadiomicsCase


def cases_in(images: Path, masks: Path, channels: Sequence[str], file_ending: str) -> list[RadiomicsCase]:
    """All cases that have an image or a mask, by name; missing files are found when the case is read.

    Args:
        images: ``CASE_0000`` and so on, one file a channel.
        masks: ``CASE``, one file a case.
        channels: their names, in order.
        file_ending: of all files.

    Raises:
        ValueError: if a folder does not exist, there is no file in either, or one has a name that no case can have.
    """
    missing = [str(folder) for folder in (images, masks) if not folder.is_dir()]
    if missing:
        raise ValueError(f"There is no folder {' and no folder '.join(missing)}.")
    masked = {name.removesuffix(file_ending) for name in _names(masks, f"*{file_ending}")}
    imaged = {
        name.removesuffix(file_ending)[:-5] for name in _names(images, f"*_[0-9][0-9][0-9][0-9]{file_ending}")
    }
    check_case_names(masks, masked)
    check_case_names(images, imaged)
    if not masked | imaged:
        raise ValueError(f"There are no files that end in {file_ending} in {images} and {masks}.")
    return [
        RadiomicsCase(
            case_id,
            tuple(images / f"{case_id}_{channel:04d}{file_ending}" for channel in range(len(channels))),
            masks / f"{case_id}{file_ending}",
        )
        for case_id in sorted(masked | imaged)
    ]


def _names(folder: Path, pattern: str) -> list[str]:
    return [file.name for file in folder.glob(pattern) if not is_leftover(file.name)]
