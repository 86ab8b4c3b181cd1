"""Write small DICOM studies: CT and PET slices, RTSTRUCT and SEG, from arrays and polygons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"
MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"
RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

# A PET in Bq/ml, corrected to the start of the scan an hour after the injection.
PET_TAGS: Mapping[str, Any] = {
    "Units": "BQML",
    "DecayCorrection": "START",
    "CorrectedImage": ["DECY", "ATTN"],
    "SeriesDate": "20200301",
    "SeriesTime": "110000",
    "AcquisitionDate": "20200301",
    "AcquisitionTime": "110000",
    "PatientWeight": "70",
    "PatientSize": "1.75",
    "PatientSex": "F",
}
INJECTION: Mapping[str, Any] = {
    "RadionuclideTotalDose": "350000000",
    "RadionuclideHalfLife": "6586.2",
    "RadiopharmaceuticalStartTime": "100000",
}


@dataclass(frozen=True)
class Study:
    """A patient's study; what is written of it shares its identifiers."""

    folder: Path
    patient_id: str = "P1"
    study_uid: str = field(default_factory=generate_uid)
    frame_uid: str = field(default_factory=generate_uid)
    tags: Mapping[str, Any] = field(default_factory=dict)

    def slices(
        self,
        name: str,
        modality: str,
        values: NDArray[Any],
        spacing: Sequence[float],
        origin: Sequence[float],
        *,
        orientation: Sequence[float] = LPS,
        slopes: Sequence[float] | None = None,
        intercept: float = 0.0,
        **tags: Any,
    ) -> list[Dataset]:
        """Write one file a slice into a folder of this name, in an order that is not that of the slices.

        Args:
            name: of the folder.
            modality: ``CT``, ``PT`` or ``MR``.
            values: ``(z, y, x)``, after rescaling.
            spacing: (x, y, z), mm.
            origin: (x, y, z), mm.
            orientation: cosines of rows and columns.
            slopes: of each slice; None for the smallest that hold its values, or 1 for CT and MR.
            intercept: of all slices.
            tags: further ones.
        """
        uid = str(tags.pop("SeriesInstanceUID", generate_uid()))
        normal = np.cross(orientation[:3], orientation[3:])
        written = []
        for index, voxels in enumerate(values):
            slope = slopes[index] if slopes else _slope(voxels) if modality == "PT" else 1.0
            position = np.array(origin) + index * spacing[2] * normal
            content = self._object(_CLASSES[modality], modality, uid, tags)
            content.ImagePositionPatient = [float(value) for value in position]
            content.ImageOrientationPatient = list(orientation)
            content.PixelSpacing = [spacing[1], spacing[0]]
            content.SliceThickness = spacing[2]
            content.InstanceNumber = len(values) - index
            _set_pixels(content, np.rint((voxels - intercept) / slope).astype(np.int16))
            content.RescaleSlope, content.RescaleIntercept = f"{slope:.10g}", intercept
            self._save(content, self.folder / name / f"{(7 * index) % 1000:03d}_{index}.dcm")
            written.append(content)
        return written

    def ct(
        self, values: NDArray[Any], spacing: Sequence[float], origin: Sequence[float], **tags: Any
    ) -> list[Dataset]:
        """Write a CT with the intercept that scanners use."""
        tags = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "SeriesNumber": 2, **tags}
        return self.slices(tags.pop("name", "CT"), "CT", values, spacing, origin, intercept=-1024.0, **tags)

    def pet(
        self, values: NDArray[Any], spacing: Sequence[float], origin: Sequence[float], **tags: Any
    ) -> list[Dataset]:
        """Write a PET, in Bq/ml unless the tags say otherwise."""
        tags = {**PET_TAGS, "ImageType": ["ORIGINAL", "PRIMARY"], "SeriesNumber": 3, **tags}
        injection = {**INJECTION, **tags.pop("injection", {})}
        tags.setdefault("RadiopharmaceuticalInformationSequence", [dataset(injection)])
        return self.slices(tags.pop("name", "PET"), "PT", values, spacing, origin, **tags)

    def structures(
        self,
        contours: Mapping[str, Sequence[Sequence[Sequence[float]]]],
        drawn_on: Sequence[Dataset],
        name: str = "RS.dcm",
        frame_uid: str | None = None,
        kind: str = "CLOSED_PLANAR",
        **tags: Any,
    ) -> Path:
        """Write an RTSTRUCT.

        Args:
            contours: closed contours of each structure, each a list of points (x, y, z), mm.
            drawn_on: the slices.
            name: of the file.
            frame_uid: frame of reference, if not the study's.
            kind: geometric type of the contours.
            tags: further ones.
        """
        frame_uid = frame_uid or self.frame_uid
        content = self._object(RTSTRUCT_CLASS, "RTSTRUCT", generate_uid(), {"SeriesNumber": 9, **tags})
        del content.FrameOfReferenceUID
        series = dataset(
            {
                "SeriesInstanceUID": drawn_on[0].SeriesInstanceUID,
                "ContourImageSequence": [_reference(one) for one in drawn_on],
            }
        )
        study = dataset({"RTReferencedSeriesSequence": [series]})
        content.ReferencedFrameOfReferenceSequence = [
            dataset({"FrameOfReferenceUID": frame_uid, "RTReferencedStudySequence": [study]})
        ]
        numbered = list(enumerate(contours.items(), start=1))
        content.StructureSetROISequence = [
            dataset({"ROINumber": number, "ReferencedFrameOfReferenceUID": frame_uid, "ROIName": name})
            for number, (name, _) in numbered
        ]
        content.ROIContourSequence = [
            dataset(
                {
                    "ReferencedROINumber": number,
                    "ContourSequence": [_contour(one, drawn_on, kind) for one in found],
                }
            )
            for number, (_, found) in numbered
        ]
        content.RTROIObservationsSequence = [
            dataset(
                {"ObservationNumber": number, "ReferencedROINumber": number, "RTROIInterpretedType": "GTV"}
            )
            for number, _ in numbered
        ]
        self._save(content, self.folder / name)
        return self.folder / name

    def segmentation(
        self,
        mask: NDArray[Any],
        labels: Sequence[str],
        drawn_on: Sequence[Dataset],
        name: str = "SEG.dcm",
        *,
        fractional: str | None = None,
    ) -> Path:
        """Write a SEG on the slices.

        Args:
            mask: ``(z, y, x)``, the values 1, 2, ... of the labels; fractions of the only label if fractional.
            labels: names of the segments.
            drawn_on: the slices.
            name: of the file.
            fractional: ``PROBABILITY`` or ``OCCUPANCY``; None for a binary SEG.
        """
        described = [
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=label,
                segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
                segmented_property_type=codes.SCT.Neoplasm,
                algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for number, label in enumerate(labels, start=1)
        ]
        content = highdicom.seg.Segmentation(
            source_images=list(drawn_on),
            pixel_array=mask,
            segmentation_type="FRACTIONAL" if fractional else "BINARY",
            fractional_type=fractional or "PROBABILITY",
            segment_descriptions=described,
            series_instance_uid=generate_uid(),
            series_number=10,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="test",
            manufacturer_model_name="test",
            software_versions="1",
            device_serial_number="1",
        )
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        content.save_as(self.folder / name)
        return self.folder / name

    def _object(self, sop_class: str, modality: str, series_uid: str, tags: Mapping[str, Any]) -> Dataset:
        content = dataset(
            {
                "SOPClassUID": sop_class,
                "SOPInstanceUID": generate_uid(),
                "PatientID": self.patient_id,
                "PatientName": "",
                "PatientBirthDate": "",
                "PatientSex": "F",
                "StudyInstanceUID": self.study_uid,
                "StudyID": "",
                "StudyDate": "",
                "StudyTime": "",
                "AccessionNumber": "",
                "ReferringPhysicianName": "",
                "SeriesInstanceUID": series_uid,
                "FrameOfReferenceUID": self.frame_uid,
                "Modality": modality,
                **self.tags,
                **tags,
            }
        )
        content.file_meta = FileMetaDataset()
        content.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content.file_meta.MediaStorageSOPClassUID = sop_class
        content.file_meta.MediaStorageSOPInstanceUID = content.SOPInstanceUID
        return content

    def _save(self, content: Dataset, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        content.save_as(file, enforce_file_format=True)


_CLASSES = {"CT": CT_CLASS, "PT": PET_CLASS, "MR": MR_CLASS}


def dataset(tags: Mapping[str, Any]) -> Dataset:
    """A data set with these tags; None leaves one out."""
    content = Dataset()
    with pydicom.config.disable_value_validation():
        for keyword, value in tags.items():
            if value is not None:
                setattr(content, keyword, value)
    return content


def box(x: Sequence[float], y: Sequence[float], z: float) -> list[tuple[float, float, float]]:
    """A rectangle, mm."""
    return [(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)]


def _contour(points: Sequence[Sequence[float]], drawn_on: Sequence[Dataset], kind: str) -> Dataset:
    nearest = min(drawn_on, key=lambda one: abs(one.ImagePositionPatient[2] - points[0][2]))
    return dataset(
        {
            "ContourImageSequence": [_reference(nearest)],
            "ContourGeometricType": kind,
            "NumberOfContourPoints": len(points),
            "ContourData": [f"{value:.10g}" for point in points for value in point],
        }
    )


def _reference(image: Dataset) -> Dataset:
    return dataset(
        {"ReferencedSOPClassUID": image.SOPClassUID, "ReferencedSOPInstanceUID": image.SOPInstanceUID}
    )


def _slope(voxels: NDArray[Any]) -> float:
    return max(float(voxels.max()), 1e-6) / 32000


def _set_pixels(content: Dataset, stored: NDArray[np.int16]) -> None:
    content.Rows, content.Columns = stored.shape
    content.SamplesPerPixel, content.PhotometricInterpretation = 1, "MONOCHROME2"
    content.BitsAllocated = content.BitsStored = 16
    content.HighBit, content.PixelRepresentation = 15, 1
    content.PixelData = stored.tobytes()


def compressed(file: Path, transfer_syntax: str) -> None:
    """Say of a file that its pixels are compressed in some way, without a decoder being able to read them."""
    content = pydicom.dcmread(file)
    content.file_meta.TransferSyntaxUID = transfer_syntax
    content.PixelData = pydicom.encaps.encapsulate([content.PixelData])
    content["PixelData"].VR = "OB"
    content.save_as(file)
