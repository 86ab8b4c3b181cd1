"""Find the files of every patient, in every layout."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.common.case_names import is_leftover
from nnunetv2_adamss.common.images import read_header
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.nifti import has_no_geometry
from nnunetv2_adamss.datasets.conversion.conversion_folder import is_conversion
from nnunetv2_adamss.datasets.conversion.patient_grid import GridChoice
from nnunetv2_adamss.datasets.conversion.presets import Files, example
from nnunetv2_adamss.datasets.conversion.scans import AIR_HU, Scans, clipped_at_air
from nnunetv2_adamss.datasets.conversion.source_image import files_of, read_source, same_image
from nnunetv2_adamss.datasets.conversion.tumour_mask import checked_mask
from nnunetv2_adamss.dicom.tags import is_dicom

_NAME = re.compile(r"\w[\w.-]*(?<!\.)")
_ENDING = re.compile(r"\.(nii|gz|mha|mhd|nrrd|nhdr|hdr)$", re.IGNORECASE)
_IMAGE = re.compile(r"\.(nii|nii\.gz|mha|mhd|nrrd|nhdr|hdr)$", re.IGNORECASE)


@dataclass(frozen=True)
class PatientFiles:
    """The files of one patient.

    Args:
        case_id: name of the patient in the data set.
        ct: HU.
        pet: SUV or Bq/ml.
        mask: None for a patient without one, who can be predicted but not trained on.
    """

    case_id: str
    ct: Path
    pet: Path
    mask: Path | None

    @property
    def has_mask(self) -> bool:
        """True for a patient who can be trained on."""
        return self.mask is not None

    def stamps(self) -> dict[str, list[int]]:
        """Return size and modification time of each file.

        Raises:
            ValueError: if one is missing.
        """
        missing = [str(file) for file in self._named().values() if not file.is_file()]
        if missing:
            raise ValueError(f"missing file(s): {', '.join(missing)}")
        files = [file.resolve() for image in self._named().values() for file in files_of(image)]
        return {str(file): [file.stat().st_size, file.stat().st_mtime_ns] for file in files}

    def read(self, labels: Mapping[str, int]) -> Scans:
        """Read the images.

        Args:
            labels: values that the mask may have, by name.

        Raises:
            ValueError: if one cannot be read, or the mask has other values.
        """
        grids = {kind: read_header(file) for kind, file in self._named().items()}
        images, warnings = {}, []
        for kind, file in self._named().items():
            nothing = AIR_HU if kind == "ct" else 0.0
            images[kind], n_wrong = read_source(file, nothing)
            if n_wrong:
                warnings.append(
                    f"{n_wrong} voxels of the {kind.upper()} are not finite and become {nothing:g}"
                )
            if has_no_geometry(file):
                warnings.append(
                    f"the header of {file.name} says neither voxel size nor position; 1 mm is assumed"
                )
        mask = checked_mask(images["mask"], labels) if self.has_mask else None
        log = {"files": {kind: str(file) for kind, file in self._named().items()}}
        return Scans(clipped_at_air(images["ct"]), images["pet"], mask, grids, log, warnings)

    def _named(self) -> dict[str, Path]:
        files = {"ct": self.ct, "pet": self.pet}
        return files if self.mask is None else {**files, "mask": self.mask}


def can_name_files(case_id: str) -> bool:
    """Return True if a data set can have this name of a patient: not hidden, no other folder, no file's ending."""
    return bool(_NAME.fullmatch(case_id)) and not _ENDING.search(case_id)


def number_of_patients(number: int) -> str:
    """Return a number of patients in words."""
    return f"{number} patient{'' if number == 1 else 's'}"


def patient_key(name: str) -> str:
    """Return one key for ``CHUM-001``, ``CHUM_001`` and ``chum001``, which are one patient in files and tables."""
    return re.sub(r"[\W_]", "", name).casefold()


def patient_of(name: str, case_ids: Collection[str]) -> str | None:
    """Return the patient of this name, or the only one whose name differs in punctuation only."""
    if name in case_ids:
        return name
    alike = [case_id for case_id in case_ids if patient_key(case_id) == patient_key(name)]
    return alike[0] if len(alike) == 1 else None


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder, sorted; links are followed.

    Hidden folders, files that macOS leaves (``._NAME`` beside ``NAME``) and data sets converted by this package are
    left out: a raw folder may lie below the source.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen or is_conversion(Path(parent)):  # links may lead back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # Other hidden files with a patient's name are reported, not left out.
        found += [Path(parent, name) for name in names if not is_leftover(name)]
    return sorted(found)


def holds_dicom(folder: Path) -> bool:
    """Return True if a folder of new patients is one of DICOM files, not of images that nnU-Net reads."""
    named_as_images = (file for file in folder.glob("*_0000.*") if not is_dicom(file))
    return not any(named_as_images) and any(map(is_dicom, files_below(folder)))


def find_patients(
    source: Path, files: Files, grid: GridChoice
) -> tuple[list[PatientFiles], dict[str, str], list[Path]]:
    """Find every patient with a CT or a PET below a folder.

    A patient may occur several times, as in the tasks of HECKTOR 2025: the first folder with scans and a mask is used,
    else a mask of another folder of the same patient. If masks of a patient or scans of one folder differ, none is
    chosen.

    Args:
        source: the folder.
        files: patterns of the file names.
        grid: decides on the mask if each scan has its own.

    Returns:
        The patients; the faults of others, by their name: only one of the two scans, several that differ, or a name
        that files cannot have; and the images that are neither scan nor mask of any of them.

    Raises:
        ValueError: if there is none, or if two names differ in punctuation only.
    """
    paths = files_below(source)
    mask_pattern = files.pet_mask if grid == "pet" and files.pet_mask else files.mask
    scans = {kind: _matches(source, paths, getattr(files, kind)) for kind in ("ct", "pet")}
    taken = {path for found in scans.values() for _, path in found}
    others = [path for path in paths if path not in taken]
    masks_of = _by_patient(_matches(source, others, mask_pattern))
    cts, pets = (_by_patient(scans[kind]) for kind in ("ct", "pet"))
    names = _names(name for found in scans.values() for name, _ in found)
    if not names:
        raise ValueError(
            f"There is no CT or PET below {source}: no file such as {example(files.ct)} or {example(files.pet)}."
        )
    patients, faults = [], {}
    for key, name in sorted(names.items(), key=lambda item: item[1]):
        try:
            patients.append(_patient(name, cts.get(key, []), pets.get(key, []), masks_of.get(key, [])))
        except ValueError as error:
            faults[name] = str(error)
    return patients, faults, _unused(source, others, files, names)


def about_unused(images: Sequence[Path]) -> list[str]:
    """Return a sentence that counts unused images, with an example of each kind; none if there are none."""
    alike = defaultdict(list)
    for path in images:
        alike[path.name.rpartition("__")[2]].append(path.name)
    kinds = [
        names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} alike" for names in alike.values()
    ]
    if not images:
        return []
    return [f"{len(images)} image(s) are neither CT, PET nor a patient's mask, and not used: {listed(kinds)}"]


def _unused(source: Path, paths: Sequence[Path], files: Files, patients: Collection[str]) -> list[Path]:
    """Return the images that are no mask of these patients, given by their keys, on either grid."""
    masks = {
        path
        for pattern in (files.mask, files.pet_mask)
        if pattern
        for name, path in _matches(source, paths, pattern)
        if patient_key(name) in patients
    }
    return [path for path in paths if _IMAGE.search(path.name) and path not in masks]


def _matches(source: Path, paths: Iterable[Path], pattern: str) -> list[tuple[str, Path]]:
    regex = re.compile(rf"(?:^|/){pattern}", re.IGNORECASE)
    found = ((regex.search(path.relative_to(source).as_posix()), path) for path in paths)
    return [(match["id"], path) for match, path in found if match]


def _by_patient(found: Iterable[tuple[str, Path]]) -> dict[str, list[Path]]:
    by_patient: dict[str, list[Path]] = {}
    for name, path in found:
        by_patient.setdefault(patient_key(name), []).append(path)
    return by_patient


def _names(found: Iterable[str]) -> dict[str, str]:
    """Choose one spelling of each patient."""
    names: dict[str, set[str]] = {}
    for name in found:
        names.setdefault(patient_key(name), set()).add(name)
    # Spellings differ in case or between - and _; any other difference means another patient.
    clashes = [
        " and ".join(sorted(spellings))
        for spellings in names.values()
        if len({re.sub("[_ ]", "-", name).casefold() for name in spellings}) > 1
    ]
    if clashes:
        raise ValueError(f"Names of patients are the same but for punctuation: {listed(clashes)}.")
    return {key: min(spellings) for key, spellings in names.items()}


def _patient(name: str, cts: list[Path], pets: list[Path], masks: list[Path]) -> PatientFiles:
    """Choose CT and PET of one folder: the first that has the mask too, else any."""
    if not can_name_files(name):
        raise ValueError(
            "no file can have such a name; rename it with letters, digits, '.', '_' and '-' alone, beginning with a "
            "letter or digit"
        )
    if not cts or not pets:
        raise ValueError(f"there is no {'PET' if cts else 'CT'} beside the other scan")
    _check_alike("masks", masks)
    for kind, scans in (("CTs", cts), ("PETs", pets)):
        for folder in {path.parent for path in scans}:
            _check_alike(kind, [path for path in scans if path.parent == folder])
    pets_in, masks_in = ({path.parent: path for path in reversed(paths)} for paths in (pets, masks))
    pairs = [(ct, pets_in[ct.parent], masks_in.get(ct.parent)) for ct in cts if ct.parent in pets_in]
    ct, pet, mask = next((pair for pair in pairs if pair[2]), [*pairs, (cts[0], pets[0], None)][0])
    return PatientFiles(name, ct, pet, mask or next(iter(masks), None))


def _check_alike(kind: str, files: list[Path]) -> None:
    if not all(same_image(files[0], file) for file in files[1:]):
        raise ValueError(
            f"there are {kind} that differ: {listed([str(file) for file in files])}; leave one of them in the source"
        )
