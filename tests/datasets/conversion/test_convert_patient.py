"""One patient: values, units, what is cut, and what is said of it."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from tests.datasets.conversion.manifest_cohort import ManifestCohort
from tests.datasets.conversion.test_head_and_neck import BRAIN, ORGANS, SPACING, whole_body


def replace_image(cohort: ManifestCohort, native: Path, name: str, image: sitk.Image, ending: str) -> Path:
    """Let the manifest name another image than the phantom's."""
    file = cohort.manifest.parent / f"mine{ending}"
    sitk.WriteImage(image, str(file))
    cohort.edit(str(native / f"{name}.nii.gz"), file.name)
    return file


def with_values(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(image)
    return changed


def test_labels_that_a_header_scales_are_whole_numbers(
    cohort: ManifestCohort, native: Path, tmp_path: Path
) -> None:
    assert cohort.convert() == 0
    mask = sitk.Cast(sitk.ReadImage(str(native / "phantom001.nii.gz")), sitk.sitkFloat64)
    replace_image(cohort, native, "phantom001", mask * (1 - 1e-7), ".nii.gz")
    scaled = cohort.into(tmp_path / "scaled")
    assert scaled.convert() == 0
    assert scaled.images()["patient_1.nii.gz"] == cohort.images()["patient_1.nii.gz"]


def test_activity_is_named_and_becomes_suv_by_a_table(
    cohort: ManifestCohort, native: Path, tmp_path: Path
) -> None:
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    replace_image(cohort, native, "phantom001__PT", pet * 5000, ".nii.gz")
    assert cohort.convert() == 0
    error = cohort.error()
    assert "WARNING: patient_1: the PET may be in Bq/ml, not SUV" in error
    assert error.count("Bq/ml") == 1
    doses = tmp_path / "doses.csv"  # 70,000 g / 350e6 Bq = 1 / 5000
    header = "case_id,weight_kg,injected_dose_mbq,minutes_to_scan"
    doses.write_text(f"{header}\npatient_0,70,350,0\npatient_1,70,350,0\n")
    suv = cohort.into(tmp_path / "suv")
    assert suv.convert("--pet_table", str(doses)) == 0
    assert "WARNING" not in cohort.error()  # patient_0, whose PET is in SUV, stays as it is
    converted, raw = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(each.folder / "imagesTr" / "patient_1_0001.nii.gz")))
        for each in (suv, cohort)
    )
    assert converted == pytest.approx(raw / 5000, rel=1e-5)


@pytest.mark.parametrize(("ending", "padding"), [(".mha", np.nan), (".nii.gz", np.nan), (".nii.gz", -3024.0)])
def test_what_the_scanner_did_not_see_is_air_and_does_not_spread(
    cohort: ManifestCohort, native: Path, ending: str, padding: float
) -> None:
    image = sitk.ReadImage(str(native / "phantom001__CT.nii.gz"), sitk.sitkFloat32)
    array = sitk.GetArrayFromImage(image)
    array[:4] = padding
    replace_image(cohort, native, "phantom001__CT", with_values(image, array), ending)
    assert cohort.convert("--grid", "ct", spacing=False) == 0
    is_said = "voxels of the CT are not finite and become -1024" in cohort.error()
    assert is_said == np.isnan(padding)
    written = sitk.ReadImage(str(cohort.folder / "imagesTr" / "patient_1_0000.nii.gz"))
    ct = sitk.GetArrayFromImage(written)
    start = image.TransformPhysicalPointToIndex(written.GetOrigin())
    expected = np.where(array > -1024, array, -1024)[
        tuple(slice(i, i + n) for i, n in zip(start[::-1], ct.shape, strict=True))
    ]
    assert (expected == -1024).any()
    assert np.abs(ct - expected).max() <= 0.5  # whole HU are written


def test_a_ct_in_other_units_is_noticed_where_air_is_padded_around_it(
    cohort: ManifestCohort, native: Path
) -> None:
    """The PET is turned, so corners of its grid lie outside of the CT and become -1024 HU."""
    ct = sitk.ReadImage(str(native / "phantom001__CT.nii.gz"), sitk.sitkFloat32)
    replace_image(cohort, native, "phantom001__CT", (ct + 1000) * 2e-5, ".nii.gz")
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    turn = sitk.Euler3DTransform(ct.TransformContinuousIndexToPhysicalPoint([n / 2 for n in ct.GetSize()]))
    turn.SetRotation(0.0, 0.0, 0.6)
    direction = np.array(turn.GetMatrix()).reshape(3, 3) @ np.array(pet.GetDirection()).reshape(3, 3)
    origin = turn.TransformPoint(pet.GetOrigin())
    pet.SetDirection(direction.ravel().tolist())
    pet.SetOrigin(origin)
    file = cohort.manifest.parent / "turned.nii.gz"
    sitk.WriteImage(pet, str(file))
    cohort.edit(str(native / "phantom001__PT.nii.gz"), file.name)
    cohort.convert("--grid", "pet", spacing=False)
    written = sitk.ReadImage(str(cohort.folder / "imagesTr" / "patient_1_0000.nii.gz"))
    assert sitk.GetArrayFromImage(written).min() == -1024
    assert "WARNING: patient_1: the CT has no air (lowest value 0); is it in HU?" in cohort.error()


def test_images_are_cut_to_head_and_neck_where_there_is_a_brain(cohort: ManifestCohort) -> None:
    folder, body = cohort.manifest.parent, ORGANS[0]
    for name, organs in (("whole", ORGANS), ("headless", [body])):
        pet = whole_body(organs)
        sitk.WriteImage(pet, str(folder / f"{name}_pet.nii.gz"))
        sitk.WriteImage(sitk.Cast(pet > 0, sitk.sitkInt16) * 1040 - 1000, str(folder / f"{name}_ct.nii.gz"))
    rows = [f"{name},{name}_ct.nii.gz,{name}_pet.nii.gz," for name in ("whole", "headless")]
    cohort.manifest.write_text("\n".join(["case_id,ct,pet,mask", *rows]))
    assert cohort.convert("--crop", "head_neck") == 0
    error = cohort.error()
    assert "WARNING: headless: no brain was found in the PET, so the images are not cut" in error
    assert "WARNING: whole" not in error
    cut, uncut = (
        sitk.ReadImage(str(cohort.folder / "imagesTs" / f"{name}_0001.nii.gz"))
        for name in ("whole", "headless")
    )
    assert np.array(cut.GetSize()) * 5 == pytest.approx([200, 200, 310], abs=5)
    assert cut.TransformIndexToPhysicalPoint(cut.GetSize())[2] == pytest.approx(BRAIN[2] + 60, abs=15)
    assert np.array(uncut.GetSize()) * 5 == pytest.approx(np.array(pet.GetSize()) * SPACING, abs=5)


def test_a_tumour_that_is_cut_off_is_said(cohort: ManifestCohort, native: Path) -> None:
    """The PET ends in the middle of the tumour, so a part of it lies outside what both scans saw."""
    mask = sitk.ReadImage(str(native / "phantom001.nii.gz"))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask > 0)
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    middle = pet.TransformPhysicalPointToIndex(shape.GetCentroid(1))[2]
    replace_image(cohort, native, "phantom001__PT", pet[:, :, middle:], ".nii.gz")
    assert cohort.convert() == 0
    assert "of GTVp lies outside of the images" in cohort.error()


def test_a_header_without_voxel_size_and_position_is_noticed(cohort: ManifestCohort, native: Path) -> None:
    values = np.asarray(nibabel.load(native / "phantom001.nii.gz").dataobj)
    file = cohort.manifest.parent / "bare.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values.astype(np.uint8), None), file)
    cohort.edit(str(native / "phantom001.nii.gz"), file.name)
    cohort.convert()
    error = cohort.error()
    assert "patient_1: the header of bare.nii.gz says neither voxel size nor position" in error
    assert error.count("the header of") == 1


@pytest.mark.parametrize("ending", [".mha", ".mhd", ".nrrd", ".nii", ".nii.gz"])
def test_a_file_that_was_cut_off_is_called_so_in_one_line(
    cohort: ManifestCohort, native: Path, ending: str
) -> None:
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    file = replace_image(cohort, native, "phantom001__PT", pet, ending)
    voxels = file.with_suffix(".raw") if ending == ".mhd" else file
    voxels.write_bytes(voxels.read_bytes()[: voxels.stat().st_size * 6 // 10])
    assert cohort.convert() == 1
    assert cohort.error().endswith(
        f"1 patient could not be converted:\n  patient_1: {file} is cut off or damaged\n"
    )


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    cohort: ManifestCohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(image: sitk.Image, name: str, **options: bool) -> None:
        Path(name).write_bytes(b"half")
        raise RuntimeError("Exception thrown in SimpleITK\nITK ERROR: No space left on device")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    assert cohort.convert() == 2
    error = cohort.error()
    assert "cannot be written (ITK ERROR: No space left on device)" in error
    assert "RuntimeError" not in error
    assert not cohort.folder.exists()
