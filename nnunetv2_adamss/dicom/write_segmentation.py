"""A DICOM segmentation (SEG) of a CT series: one segment for each structure."""

from collections.abc import Sequence

import highdicom
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DS

from nnunetv2_adamss.dicom.write_identity import ALGORITHM, PACKAGE, Identifiers, Structure, package_version
from nnunetv2_adamss.dicom.write_reference import PATIENT_TAGS, CtSeries

_SERIES_NUMBER = 3001  # beyond those of scanners


def segmentation(
    series: CtSeries, labels: NDArray[np.uint8], structures: Sequence[Structure], identifiers: Identifiers
) -> Dataset:
    """Return the object. It refers to the slices from the first with tumour to the last, or else to the first one.

    Args:
        series: CT series that it refers to.
        labels: on the pixels of the series, ``(slices, rows, columns)``.
        structures: one or more.
        identifiers: of the object.
    """
    with_tumour = np.flatnonzero(labels.any(axis=(1, 2)))
    used = slice(with_tumour[0], with_tumour[-1] + 1) if len(with_tumour) else slice(1)
    masks = [structure.mask_in(labels[used]) for structure in structures]
    made = highdicom.seg.Segmentation(
        source_images=[_anonymous(one.header, series.thickness_mm) for one in series.slices[used]],
        pixel_array=np.stack(masks, axis=-1).astype(np.uint8),
        omit_empty_frames=len(with_tumour) > 0,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(number, one) for number, one in enumerate(structures, start=1)],
        series_instance_uid=identifiers.series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=identifiers.instance,
        instance_number=1,
        manufacturer=PACKAGE,
        manufacturer_model_name=ALGORITHM,
        software_versions=package_version(),
        device_serial_number="none",
        content_label="TUMOUR",
        series_description=f"{ALGORITHM} segmentation",
    )
    made.update(series.patient)
    return made


def _description(number: int, structure: Structure) -> highdicom.seg.SegmentDescription:
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=structure.name,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            ALGORITHM, codes.DCM.ArtificialIntelligence, package_version(), PACKAGE
        ),
    )


def _anonymous(header: Dataset, thickness_mm: float) -> Dataset:
    """The header with empty tags of the patient: highdicom needs them, but warns with the name if it is unusual."""
    image = Dataset()
    image.SliceThickness = DS(thickness_mm, auto_format=True)
    for keyword in PATIENT_TAGS:
        setattr(image, keyword, None)
    image.update(header)
    return image
