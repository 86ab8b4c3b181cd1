"""A DICOM structure set (RTSTRUCT) of a CT series: one region of interest for each structure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

from nnunetv2_adamss.dicom.write_contours import outlines
from nnunetv2_adamss.dicom.write_identity import ALGORITHM, PACKAGE, Identifiers, Structure, package_version
from nnunetv2_adamss.dicom.write_reference import CtSeries, CtSlice

_SERIES_NUMBER = 3002  # beyond those of scanners
_DETACHED_STUDY_MANAGEMENT = (
    "1.2.840.10008.3.1.2.3.1"  # retired, but the standard still names it for the study
)


def structure_set(
    series: CtSeries, labels: NDArray[np.uint8], structures: Sequence[Structure], identifiers: Identifiers
) -> Dataset:
    """Return the object; structures without a voxel have no contours.

    Args:
        series: CT series that it refers to.
        labels: on the pixels of the series, ``(slices, rows, columns)``.
        structures: one or more.
        identifiers: of the object.
    """
    made = Dataset()
    made.file_meta = FileMetaDataset()
    # With explicit types a contour could have no more than 64 KiB.
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made.update(series.patient)
    _add_origin(made, identifiers)
    made.FrameOfReferenceUID = series.frame_of_reference_uid
    made.PositionReferenceIndicator = None
    made.ReferencedFrameOfReferenceSequence = [_frame_of_reference(series)]
    numbered = list(enumerate(structures, start=1))
    made.StructureSetROISequence = [_region(number, one, series) for number, one in numbered]
    made.ROIContourSequence = [
        _region_contours(number, one.mask_in(labels), series) for number, one in numbered
    ]
    made.RTROIObservationsSequence = [_observation(number) for number, _ in numbered]
    return made


def _add_origin(made: Dataset, identifiers: Identifiers) -> None:
    now = datetime.now()
    made.SOPClassUID = RTStructureSetStorage
    made.SOPInstanceUID = identifiers.instance
    made.SeriesInstanceUID = identifiers.series
    made.SeriesNumber = _SERIES_NUMBER
    made.InstanceNumber = 1
    made.Modality = "RTSTRUCT"
    made.SeriesDescription = f"{ALGORITHM} structures"
    made.Manufacturer = PACKAGE
    made.ManufacturerModelName = ALGORITHM
    made.SoftwareVersions = package_version()
    made.OperatorsName = None
    made.StructureSetLabel = ALGORITHM
    made.StructureSetDate = made.InstanceCreationDate = now.strftime("%Y%m%d")
    made.StructureSetTime = made.InstanceCreationTime = now.strftime("%H%M%S")
    made.ApprovalStatus = "UNAPPROVED"


def _frame_of_reference(series: CtSeries) -> Dataset:
    referenced = Dataset()
    referenced.SeriesInstanceUID = series.slices[0].header.SeriesInstanceUID
    referenced.ContourImageSequence = [_image(one) for one in series.slices]
    study = Dataset()
    study.ReferencedSOPClassUID = _DETACHED_STUDY_MANAGEMENT
    study.ReferencedSOPInstanceUID = series.slices[0].header.StudyInstanceUID
    study.RTReferencedSeriesSequence = [referenced]
    frame = Dataset()
    frame.FrameOfReferenceUID = series.frame_of_reference_uid
    frame.RTReferencedStudySequence = [study]
    return frame


def _region(number: int, structure: Structure, series: CtSeries) -> Dataset:
    region = Dataset()
    region.ROINumber = number
    region.ReferencedFrameOfReferenceUID = series.frame_of_reference_uid
    region.ROIName = structure.name
    region.ROIGenerationAlgorithm = "AUTOMATIC"
    return region


def _region_contours(number: int, mask: NDArray[np.bool_], series: CtSeries) -> Dataset:
    region = Dataset()
    region.ReferencedROINumber = number
    if contours := [
        contour
        for one, pixels in zip(series.slices, mask, strict=True)
        if pixels.any()
        for contour in _contours(pixels, one)
    ]:
        region.ContourSequence = contours
    return region


def _contours(pixels: NDArray[np.bool_], one: CtSlice) -> Iterator[Dataset]:
    for polygon in outlines(pixels):
        points_mm = one.grid.points(np.pad(polygon, ((0, 0), (0, 1))))
        contour = Dataset()
        contour.ContourImageSequence = [_image(one)]
        contour.ContourGeometricType = "CLOSED_PLANAR"
        contour.NumberOfContourPoints = len(points_mm)
        contour.ContourData = [f"{coordinate:.4f}" for coordinate in points_mm.ravel()]
        yield contour


def _observation(number: int) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = number
    observation.ReferencedROINumber = number
    observation.RTROIInterpretedType = "GTV"
    observation.ROIInterpreter = None
    return observation


def _image(one: CtSlice) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = one.header.SOPClassUID
    image.ReferencedSOPInstanceUID = one.header.SOPInstanceUID
    return image
