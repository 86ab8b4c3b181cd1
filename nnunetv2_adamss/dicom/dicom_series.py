"""The series of a folder of DICOM files, whatever the files are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunetv2_adamss.dicom.attenuation import ATTENUATION_TAGS
from nnunetv2_adamss.dicom.tags import is_dicom, read_tags

_TAGS = (
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality", "SeriesNumber",
    "FrameOfReferenceUID", "ImageType", "NumberOfFrames", "MediaStorageSOPClassUID", *ATTENUATION_TAGS,
)  # fmt: skip
_DIRECTORY, _DIRECTORY_CLASS = "DICOMDIR", "1.2.840.10008.1.3.10"  # the index of a disk


@dataclass(frozen=True)
class Series:
    """One series of a patient.

    Args:
        tags: of its first file, by keyword.
        files: by path; a copy of a file with the same instance is not among them.
    """

    tags: dict[str, Any]
    files: tuple[Path, ...]

    @property
    def modality(self) -> str:
        """``CT``, ``PT``, ``RTSTRUCT``, ``SEG`` and others."""
        return str(self.tags.get("Modality", ""))

    @property
    def uid(self) -> str:
        """Identifier of the series; empty if the tag is missing."""
        return str(self.tags.get("SeriesInstanceUID", ""))

    @property
    def study(self) -> str:
        """Identifier of the study; empty if the tag is missing."""
        return str(self.tags.get("StudyInstanceUID", ""))

    @property
    def frame(self) -> str:
        """Identifier of the frame of reference; empty if the tag is missing."""
        return str(self.tags.get("FrameOfReferenceUID", ""))

    def __str__(self) -> str:
        """Name the series in messages by what says nothing of the patient: modality, number and size."""
        n_files = f"{len(self.files)} file{'' if len(self.files) == 1 else 's'}"
        number = f"series {self.tags['SeriesNumber']}" if "SeriesNumber" in self.tags else "a series"
        return f"{self.modality or 'no modality'} {number} ({n_files})"


@dataclass(frozen=True)
class Header:
    """The tags of one file by which it is sorted."""

    file: Path
    tags: dict[str, Any]


def read_headers(files: Iterable[Path]) -> tuple[list[Header], int]:
    """Read the headers of all DICOM files, and count those that are empty or damaged; other files are ignored.

    A file that does not begin as DICOM is damaged if it is called ``.dcm``, or is empty and lies beside DICOM files.
    """
    headers, n_damaged = [], 0
    for file in files:
        if not is_dicom(file):
            n_damaged += _was_dicom(file)
            continue
        try:
            tags = read_tags(file, _TAGS)
        except ValueError:
            n_damaged += 1
            continue
        if "SeriesInstanceUID" in tags:
            headers.append(Header(file, tags))
        elif tags.get("MediaStorageSOPClassUID") != _DIRECTORY_CLASS:
            n_damaged += 1
    return headers, n_damaged


def _was_dicom(file: Path) -> bool:
    if not file.is_file():
        return False
    if file.suffix.lower() == ".dcm":
        return True
    beside = (other for other in file.parent.iterdir() if other.name != _DIRECTORY)
    return file.stat().st_size == 0 and any(map(is_dicom, beside))


def series_of(headers: Sequence[Header]) -> list[Series]:
    """Group the files of one patient."""
    by_uid: dict[str, dict[str, Header]] = {}
    for header in sorted(headers, key=lambda header: header.file):
        instances = by_uid.setdefault(str(header.tags["SeriesInstanceUID"]), {})
        instances.setdefault(str(header.tags.get("SOPInstanceUID", header.file)), header)
    return [
        Series(next(iter(found.values())).tags, tuple(header.file for header in found.values()))
        for found in by_uid.values()
    ]
