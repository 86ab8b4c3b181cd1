"""Find the images of new patients by name, and check them before anything is computed."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import SimpleITK as sitk

from nnunetv2_adamss.common.case_names import check_case_names, is_leftover
from nnunetv2_adamss.common.files import given_path
from nnunetv2_adamss.common.images import (
    are_stored_alike,
    constant_images,
    is_read_by_simpleitk,
    read_on_one_grid,
)
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.nnunet_data.dataset import distinct


@dataclass(frozen=True)
class PatientImages:
    """The image files of one patient.

    Args:
        case_id: nnU-Net's identifier.
        files: one a channel, in the channels' order; they need not exist.
    """

    case_id: str
    files: tuple[Path, ...]

    @contextmanager
    def checked(self, channel_names: Sequence[str], needs_right_angles: bool) -> Iterator[list[str]]:
        """Yield checked files for nnU-Net's reader, which stacks voxels in the order in which files store them.

        They are the patient's own, or, if files store the same grid along different axes, copies that exist as long as
        the context.

        Args:
            channel_names: of the model.
            needs_right_angles: whether the reader refuses images with tilted axes, even if tilted by rounding only.

        Raises:
            ValueError: with all faults, unless the images are there, on one grid, and hold numbers that vary.
        """
        read = read_on_one_grid(dict(zip(distinct(channel_names), self.files, strict=True)))
        if faults := list(constant_images(read)):
            raise ValueError("; ".join(faults))
        can_be_tilted = not needs_right_angles or all(map(is_read_by_simpleitk, self.files))
        if can_be_tilted and are_stored_alike(self.files):
            yield [str(file) for file in self.files]
            return
        with TemporaryDirectory() as folder:
            copies = [str(Path(folder) / file.name) for file in self.files]
            for image, copy in zip(read.values(), copies, strict=True):
                sitk.WriteImage(image.itk(), copy)
            yield copies

    def stamps(self) -> list[list[int] | None]:
        """Return size and modification time of each file, to recognise other images; None for a missing one."""
        return [stamp_of(file) for file in self.files]


def given_patients(
    images: str | Path | Mapping[str, Sequence[str | Path]], channel_names: Sequence[str], file_ending: str
) -> list[PatientImages]:
    """Return the patients whose images lie in a folder, or are given file by file.

    Args:
        images: folder for :func:`find_patients`, or files by ``case_id``, one a channel.
        channel_names: of the model, in the order of the files.
        file_ending: of the images.

    Raises:
        ValueError: if there is no patient, or one has a name that is not allowed for a case, too many or too few files,
            or files of another format.
    """
    if not isinstance(images, Mapping):
        folder = given_path("images", images, "a folder, or a dict of the files of each patient by case_id")
        return find_patients(folder, len(channel_names), file_ending)
    if not images:
        raise ValueError("There are no patients to predict: 'images' is empty.")
    named = list(zip(_given_case_ids(images), images.values(), strict=True))
    for case_id, files in named:
        _check_files(case_id, files, channel_names, file_ending)
    return [PatientImages(case_id, tuple(map(Path, files))) for case_id, files in named]


def _given_case_ids(images: Mapping[Any, object]) -> list[str]:
    """The names of the cases as text, as tables have them.

    Raises:
        ValueError: if one is neither text nor a whole number, not allowed for a case, or there twice.
    """
    if others := [
        repr(one) for one in images if not isinstance(one, str | Integral) or isinstance(one, bool)
    ]:
        raise ValueError(f"Each case_id in 'images' must be text, but there is {listed(others)}.")
    case_ids = [str(one) for one in images]
    check_case_names("'images'", case_ids)
    if repeated := sorted({one for one in case_ids if case_ids.count(one) > 1}):
        raise ValueError(
            f"Each case_id in 'images' must be there once, but twice there is {listed(repeated)}."
        )
    return case_ids


def _check_files(case_id: str, files: Any, channel_names: Sequence[str], file_ending: str) -> None:
    # A set has no order.
    is_list = isinstance(files, Collection) and not isinstance(files, str | Set | Mapping)
    if not is_list or len(files) != len(channel_names):
        raise ValueError(
            f"{case_id}: {files} is not one file for each channel of the model: {listed(channel_names)}."
        )
    if others := [str(file) for file in files if not str(file).endswith(file_ending)]:
        raise ValueError(f"{case_id}: the model reads {file_ending} files, but {listed(others)} is not one.")


def stamp_of(file: Path) -> list[int] | None:
    """Return size in bytes and modification time in nanoseconds; None if the file does not exist."""
    return [file.stat().st_size, file.stat().st_mtime_ns] if file.is_file() else None


def find_patients(folder: Path, n_channels: int, file_ending: str) -> list[PatientImages]:
    """Find all cases with an image in the folder, named as nnU-Net names them: ``CASE_0000`` and so on.

    Files with other names are ignored.

    Raises:
        ValueError: if the folder does not exist, has no image, or has images of more channels than the model has, or a
            name that is not allowed for a case.
    """
    if not folder.is_dir():
        raise ValueError(f"There is no folder of images {folder}.")
    pattern = re.compile(rf"(?P<case_id>.+)_(?P<channel>[0-9]{{4}}){re.escape(file_ending)}", re.DOTALL)
    names = [file.name for file in folder.iterdir() if not is_leftover(file.name)]
    found = [match for name in names if (match := pattern.fullmatch(name))]
    check_case_names(folder, (match["case_id"] for match in found))
    if not found:
        raise ValueError(
            f"There are no images in {folder}. nnU-Net names them CASE_0000{file_ending}, CASE_0001{file_ending} and "
            "so on, one file a channel."
        )
    surplus = sorted(match[0] for match in found if int(match["channel"]) >= n_channels)
    if surplus:
        raise ValueError(f"The model has {n_channels} channels, but there is {listed(surplus)} in {folder}.")
    return [
        PatientImages(
            case_id, tuple(folder / f"{case_id}_{channel:04d}{file_ending}" for channel in range(n_channels))
        )
        for case_id in sorted({match["case_id"] for match in found})
    ]
