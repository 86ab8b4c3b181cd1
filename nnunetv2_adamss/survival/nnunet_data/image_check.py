"""Checks of a raw data set's images and masks; later steps accept everything that passes."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from joblib import delayed
from nnunetv2.imageio.reader_writer_registry import determine_reader_writer_from_dataset_json

from nnunetv2_adamss.common.images import (
    MASK,
    are_stored_alike,
    constant_images,
    read_header,
    read_on_one_grid,
)
from nnunetv2_adamss.common.nifti import contradiction, is_nifti
from nnunetv2_adamss.common.parallel import in_parallel
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names, distinct, raw_images
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json

# nnU-Net's readers that turn images themselves, so that files may store them along any axes.
_TURNS = "Reorient"
_BY_NIBABEL = "Nibabel"


class RawCase(NamedTuple):
    """The files of a training case in the raw data set.

    Attributes:
        case_id: nnU-Net's identifier.
        images: one a channel, in the channels' order.
        mask: the reference.
    """

    case_id: str
    images: tuple[Path, ...]
    mask: Path


def check_raw_images(
    raw_folder: Path,
    num_processes: int,
    on_case_done: Callable[[int, int], object] = lambda n_done, n_cases: None,
) -> dict[str, str]:
    """Read every training case by the functions that all later steps use, and collect the faults.

    Args:
        raw_folder: of the data set.
        num_processes: cases in parallel.
        on_case_done: called with the number of cases that are done, and of all.

    Returns:
        Sentences without a full stop, by ``case_id``, for the cases that have a fault.

    Raises:
        ValueError: if ``dataset.json`` cannot be used or nnU-Net finds no cases.
    """
    dataset_json = read_dataset_json(raw_folder / "dataset.json", "file_ending")
    cases = [
        RawCase(case_id, tuple(map(Path, files["images"])), Path(files["label"]))
        for case_id, files in raw_images(raw_folder).items()
    ]
    if not cases:
        raise ValueError(f"There are no training cases in {raw_folder}.")
    names = distinct(channel_names(dataset_json))
    reader = determine_reader_writer_from_dataset_json(dataset_json, str(cases[0].images[0]), verbose=False)
    tasks = [delayed(_faults_of)(case, names, reader.__name__) for case in cases]
    faults = {}
    for n_done, (case_id, found) in enumerate(in_parallel(tasks, num_processes), start=1):
        if found:
            faults[case_id] = "; ".join(found)
        on_case_done(n_done, len(cases))
    return dict(sorted(faults.items()))


def _faults_of(case: RawCase, names: Sequence[str], reader: str) -> tuple[str, list[str]]:
    return case.case_id, list(_case_faults(case, names, reader))


def _case_faults(case: RawCase, names: Sequence[str], reader: str) -> Iterator[str]:
    if len(case.images) != len(names):
        yield f"there are {len(case.images)} images, but dataset.json names {len(names)} channels"
        return
    try:
        read = read_on_one_grid(dict(zip(names, case.images, strict=True)), case.mask)
    except ValueError as error:
        yield str(error)
        return
    yield from constant_images({name: image for name, image in read.items() if name != MASK})
    try:
        read[names[0]].itk()
    except ValueError as error:
        yield f"{error} (nnU-Net may train on it, but radiomics cannot be extracted)"
    # SimpleITK's readers place images and mask as the other steps do.
    if reader.startswith(_BY_NIBABEL):
        yield from _contradictions([*case.images, case.mask])
    if _TURNS not in reader and not are_stored_alike([*case.images, case.mask]):
        yield (
            f"{', '.join([*names, MASK])} lie in the same place, but their files store it along different axes, which "
            "nnU-Net does not turn; write them along the axes of the first"
        )


def _contradictions(files: Sequence[Path]) -> Iterator[str]:
    found = [contradiction(file, read_header(file)) for file in files if is_nifti(file)]
    yield from (f"{sentence}; write it again with a complete header" for sentence in found if sentence)
