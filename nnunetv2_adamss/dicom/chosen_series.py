"""Choose the CT, the PET and the structures of a patient, and give the reason for each series that is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.dicom.attenuation import is_attenuation_corrected
from nnunetv2_adamss.dicom.dicom_series import Series
from nnunetv2_adamss.dicom.structures import STRUCTURE_MODALITIES, StructureSet
from nnunetv2_adamss.dicom.tags import texts_of

_SLICES_OF = {"CT": "1.2.840.10008.5.1.4.1.1.2", "PT": "1.2.840.10008.5.1.4.1.1.128"}
# Enhanced CT, legacy converted enhanced CT, enhanced PET, legacy converted enhanced PET.
_ALL_SLICES_IN_ONE_FILE = {
    "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2",
    "1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1",
}  # fmt: skip
# Words in ImageType.
_OVERVIEWS = {"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"}
_REFORMATS = {"REFORMATTED", "MPR", "MIP", "MINIP", "PROJECTION", "VRT", "SSD"}
_FEWEST_SLICES = 3


@dataclass(frozen=True)
class ChosenSeries:
    """The chosen series of a patient.

    Args:
        ct: the CT.
        pet: the PET, in the same frame of reference.
        structures: that the mask is made of; None if the patient has none.
        left_out: a sentence for each other series.
    """

    ct: Series
    pet: Series
    structures: StructureSet | None
    left_out: tuple[str, ...]


def choose_scans(series: Sequence[Series], sets: Sequence[StructureSet] = ()) -> ChosenSeries:
    """Choose CT and PET.

    Overviews, reformats and PET without attenuation correction are left out. Of the others, one CT and one PET must
    share the frame of reference. If several pairs do, those whose PET is said to be corrected for attenuation, those of
    one study and those that structures refer to come first; if there still are several, none is chosen.

    Args:
        series: of one patient.
        sets: structure sets of the patient.

    Raises:
        ValueError: if there is no pair, or more than one.
    """
    images = [one for one in series if one.modality not in STRUCTURE_MODALITIES]
    faults = {one.uid: _fault(one) for one in images}
    left_out = tuple(f"{one}: {faults[one.uid]}" for one in images if faults[one.uid])
    usable = [one for one in images if not faults[one.uid]]
    cts, pets = ([one for one in usable if one.modality == kind] for kind in ("CT", "PT"))
    for kind, found in (("CT", cts), ("PET", pets)):
        if not found:
            raise ValueError(f"there is no {kind}{_with_reasons(left_out)}")
    ct, pet = _only_pair(cts, pets, {uid for one in sets for uid in one.series_uids})
    others = [one for one in usable if one not in (ct, pet)]
    return ChosenSeries(ct, pet, None, (*left_out, *(f"{one}: another one was chosen" for one in others)))


def with_structures(
    chosen: ChosenSeries, series: Sequence[Series], sets: Sequence[StructureSet], drawn_on: str
) -> ChosenSeries:
    """Choose the structure set that becomes the mask.

    Args:
        chosen: the scans.
        series: all of the patient.
        sets: with the labels of their structures.
        drawn_on: modality whose structures are used if each scan has its own.

    Raises:
        ValueError: if there are structure sets, but none or more than one can be used.
    """
    if not sets:
        return chosen
    if chosen.ct.frame:
        sets = [one.within(chosen.ct.frame) for one in sets]
    faults = [_structure_fault(one, chosen, series) for one in sets]
    reasons = tuple(f"{one}: {fault}" for one, fault in zip(sets, faults, strict=True) if fault)
    usable = [one for one, fault in zip(sets, faults, strict=True) if not fault]
    if not usable:
        raise ValueError(f"no structure can be used{_with_reasons(reasons)}")
    first, second = (chosen.pet, chosen.ct) if drawn_on == "PT" else (chosen.ct, chosen.pet)
    ranks = [(first.uid not in one.series_uids, second.uid not in one.series_uids) for one in usable]
    usable = [one for one, rank in zip(usable, ranks, strict=True) if rank == min(ranks)]
    if len(usable) > 1:
        raise ValueError(
            f"more than one structure set could be used: {listed([str(one) for one in usable])}; keep one, or name it "
            "in a manifest"
        )
    others = (
        f"{one}: another one was chosen"
        for one, fault in zip(sets, faults, strict=True)
        if not fault and one not in usable
    )
    return replace(chosen, structures=usable[0], left_out=(*chosen.left_out, *reasons, *others))


def _fault(series: Series) -> str:
    """Return why a series cannot be the CT or the PET; empty if it can."""
    words = {word for value in texts_of(series.tags, "ImageType") for word in value.upper().split()}
    sop_class = series.tags.get("SOPClassUID", "")
    faults = (
        (series.modality not in _SLICES_OF, "neither CT nor PET"),
        (
            sop_class in _ALL_SLICES_IN_ONE_FILE,
            "all slices are in one file (enhanced DICOM), which cannot be read; export one file a slice",
        ),
        (sop_class != _SLICES_OF.get(series.modality), "no slices of a scanner"),
        (bool(words & _OVERVIEWS), "an overview"),
        (bool(words & _REFORMATS), "a reformat of other slices"),
        (is_attenuation_corrected(series.tags) is False, "not corrected for attenuation"),
        (len(series.files) < _FEWEST_SLICES, "too few slices"),
    )
    return next((words for is_so, words in faults if is_so), "")


def _only_pair(cts: Sequence[Series], pets: Sequence[Series], referred: set[str]) -> tuple[Series, Series]:
    pairs = [(ct, pet) for ct in cts for pet in pets if _in_one_frame(ct, pet)]
    if not pairs:
        raise ValueError(
            "CT and PET have different frames of reference, so where one lies in the other is not known: "
            f"{listed([str(one) for one in (*cts, *pets)])}"
        )
    pairs = [pair for pair in pairs if is_attenuation_corrected(pair[1].tags)] or pairs
    pairs = [(ct, pet) for ct, pet in pairs if ct.study == pet.study] or pairs
    pairs = [pair for pair in pairs if any(one.uid in referred for one in pair)] or pairs
    if len(pairs) > 1:
        found = dict.fromkeys(str(one) for pair in pairs for one in pair)
        raise ValueError(
            f"more than one CT or PET could be used: {listed(list(found))}; keep one of each, or name them in a "
            "manifest"
        )
    return pairs[0]


def _in_one_frame(ct: Series, pet: Series) -> bool:
    return ct.frame == pet.frame if ct.frame and pet.frame else ct.study == pet.study


def _structure_fault(structures: StructureSet, chosen: ChosenSeries, series: Sequence[Series]) -> str:
    """Return why a structure set cannot be the mask; empty if it can."""
    scans = {chosen.ct.uid, chosen.pet.uid}
    others = [str(one) for one in series if one.uid in structures.series_uids and one.uid not in scans]
    if others and not scans & structures.series_uids:
        return f"drawn on {listed(others)}"
    if not structures.labels:
        if structures.elsewhere:
            return "in another frame of reference"
        return f"no structure matches, its structures are {listed(structures.names) or 'none'}"
    return ""


def _with_reasons(left_out: Sequence[str]) -> str:
    return f": {listed(left_out)}" if left_out else ""
