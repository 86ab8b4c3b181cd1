"""Structure sets: names of the structures in RTSTRUCT and SEG objects, and the labels that they become."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnunetv2_adamss.dicom.dicom_series import Series
from nnunetv2_adamss.dicom.tags import read_tags

STRUCTURE_MODALITIES = ("RTSTRUCT", "SEG")
_TAGS = (
    "FrameOfReferenceUID", "StructureSetROISequence", "ReferencedFrameOfReferenceSequence", "SegmentSequence",
    "ReferencedSeriesSequence",
)  # fmt: skip


@dataclass(frozen=True)
class StructureSet:
    """The structures of one object.

    Args:
        file: of the object.
        modality: ``RTSTRUCT`` or ``SEG``.
        name_of: name of every structure, by its number in the object.
        labels: of the structures that become labels, by the same number.
        frame_of: frame of reference of every structure, by the same number; empty if the object does not say.
        series_uids: series on which they were drawn; empty if the object does not say.
        elsewhere: names of structures that match, but are in another frame of reference than the scans.
    """

    file: Path
    modality: str
    name_of: Mapping[int, str]
    labels: Mapping[int, int]
    frame_of: Mapping[int, str]
    series_uids: frozenset[str]
    elsewhere: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of all structures, also of those that become no label."""
        return list(self.name_of.values())

    def within(self, frame: str) -> StructureSet:
        """Return the set with the labels of those structures only that a frame of reference holds, or may hold."""
        elsewhere = [number for number in self.labels if self.frame_of[number] not in ("", frame)]
        return replace(
            self,
            labels={number: value for number, value in self.labels.items() if number not in elsewhere},
            elsewhere=tuple(self.name_of[number] for number in elsewhere),
        )

    def __str__(self) -> str:
        """Name the set in messages by its structures."""
        return f"{self.modality} with {', '.join(self.names[:3]) or 'no structure'}"


def read_structure_sets(
    series: Sequence[Series], patterns: Mapping[str, str], values: Mapping[str, int]
) -> list[StructureSet]:
    """Read the structure sets among series, with the labels of their structures.

    Args:
        series: of one patient.
        patterns: regular expression for the names of each label's structures; the first that is found anywhere in a
            name decides, in capitals or not.
        values: of the labels.

    Raises:
        ValueError: if a set cannot be read.
    """
    sets = []
    for one in series:
        if one.modality in STRUCTURE_MODALITIES:
            sets += [_read(file, one.modality, patterns, values) for file in one.files]
    return sets


def label_of(name: str, patterns: Mapping[str, str]) -> str | None:
    """Return the label of a structure's name; None if no pattern is in it."""
    found = (label for label, pattern in patterns.items() if re.search(pattern, name.strip(), re.IGNORECASE))
    return next(found, None)


def _read(file: Path, modality: str, patterns: Mapping[str, str], values: Mapping[str, int]) -> StructureSet:
    tags = read_tags(file, _TAGS)
    try:
        numbered = _names_in_seg(tags) if modality == "SEG" else _names_in_rtstruct(tags)
    except KeyError as error:
        raise ValueError(f"{modality}: a structure has no {error.args[0]}") from None
    found = {number: label_of(name, patterns) for number, name in numbered.items()}
    return StructureSet(
        file,
        modality,
        numbered,
        {number: values[label] for number, label in found.items() if label is not None},
        _frames(tags, numbered),
        frozenset(_referenced_series(tags)),
    )


def _names_in_seg(tags: Mapping[str, Any]) -> dict[int, str]:
    items = _items(tags, "SegmentSequence")
    return {int(item["SegmentNumber"]): str(item.get("SegmentLabel", "")) for item in items}


def _names_in_rtstruct(tags: Mapping[str, Any]) -> dict[int, str]:
    items = _items(tags, "StructureSetROISequence")
    return {int(item["ROINumber"]): str(item.get("ROIName", "")) for item in items}


def _frames(tags: Mapping[str, Any], numbers: Iterable[int]) -> dict[int, str]:
    """Return the frame of reference of each structure: in an RTSTRUCT its own, or else the object's."""
    of_object = str(tags.get("FrameOfReferenceUID", ""))
    own = {
        int(item["ROINumber"]): str(item.get("ReferencedFrameOfReferenceUID", of_object))
        for item in _items(tags, "StructureSetROISequence")
    }
    return {number: own.get(number, of_object) for number in numbers}


def _referenced_series(tags: Mapping[str, Any]) -> set[str]:
    studies = (
        study
        for frame in _items(tags, "ReferencedFrameOfReferenceSequence")
        for study in _items(frame, "RTReferencedStudySequence")
    )
    series = [one for study in studies for one in _items(study, "RTReferencedSeriesSequence")]
    series += _items(tags, "ReferencedSeriesSequence")
    return {str(one["SeriesInstanceUID"]) for one in series if "SeriesInstanceUID" in one}


def _items(tags: Mapping[str, Any], keyword: str) -> list[Mapping[str, Any]]:
    return list(tags.get(keyword, ()))
