"""The published masks of two real patients on their CT series, against SimpleITK's resampling."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread

from nnunetv2_adamss.dicom.write_identity import structures_of
from nnunetv2_adamss.dicom.write_masks import dicom_files, write_masks
from tests.dicom.reopened import masks_of_segmentation, masks_of_structure_set


@pytest.mark.filterwarnings("ignore:The value length:UserWarning")  # of the publishers' own StudyID
@pytest.mark.parametrize("case", ["STS_008", "STS_025"])
def test_a_published_mask_comes_back_from_dicom(case: str, real_data: Path, tmp_path: Path) -> None:
    folder, mask = (real_data / "ibsi_validation" / kind / case for kind in ("dicom", "nifti"))
    slices = sorted(
        (folder / "CT" / "image").iterdir(), key=lambda file: dcmread(file).ImagePositionPatient[2]
    )
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(list(map(str, slices)))
    published = sitk.ReadImage(str(mask / "CT_mask.nii.gz"), sitk.sitkUInt8)
    on_slices = sitk.Resample(published, reader.Execute(), sitk.Transform(), sitk.sitkNearestNeighbor)
    write_masks(mask / "CT_mask.nii.gz", slices, structures_of({"tumour": 1}), tmp_path, case)
    files = dicom_files(tmp_path, case)
    for masks in (
        masks_of_segmentation(files["SEG"], slices),
        masks_of_structure_set(files["RTSTRUCT"], slices),
    ):
        np.testing.assert_array_equal(masks["tumour"], sitk.GetArrayFromImage(on_slices) > 0)
        assert masks["tumour"].any()
