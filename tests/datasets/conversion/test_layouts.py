"""Every public layout: which patients, which outcomes, which clinical values, and where the images lie."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from tests.datasets.conversion import layouts
from tests.datasets.conversion.published import Published

SURVIVAL = {
    "hecktor2021": """\
case_id,time,event,age,sex,t_stage,n_stage,m_stage,tnm_group,tnm_edition,hpv_status,performance_status,tobacco,alcohol,chemotherapy,centre
CHGJ007,369,1,59,1,T4a,N2c,M0,IVA,7,,1,1,,1,CHGJ
CHUM010,1226,0,72,0,,N0,M0,I,8,1,,,,0,CHUM
CHUS003,2021,0,61,1,T2,N2b,,IVA,7,0,0,1,1,1,CHUS
""",
    "hecktor2022": """\
case_id,time,event,age,sex,weight,tobacco,alcohol,performance_status,hpv_status,surgery,chemotherapy,centre
CHUM-001,1704,0,56,M,78.5,,,,1,0,1,CHUM
CHUV-002,395,1,67,F,,1,0,2,,0,1,CHUV
MDA-003,,,48,M,90,,,1,0,,0,MDA
""",
    "hecktor2025": """\
case_id,time,event,age,sex,tobacco,alcohol,performance_status,treatment,m_stage,hpv_status,centre
CHUM-001,421,1,56,1,0,,1,1,M0,1,CHUM
CHUP-002,,,64,0,,1,,0,M0,,CHUP
""",
    "hecktor2026": """\
case_id,time,event,age,sex,tobacco,alcohol,performance_status,treatment,t_stage,n_stage,m_stage,hpv_status,centre
CHUM-001,421,1,56,1,0,,1,1,T1,N2b,M0,1,CHUM
USZ-004,1800,0,64,0,,1,,0,T4,N0,M0,,USZ
""",
    "ibsi_sarcoma": """\
case_id,time,event,age,sex,histology,grade
STS_001,266,1,59,Male,Liposarcoma,High
STS_002,501,0,61,Female,MFH,
""",
}
WITHOUT_MASK = {"hecktor2022": ["USZ-001"], "hecktor2025": ["MDA-003"]}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=sorted(layouts.LAYOUTS))
def each(request: pytest.FixtureRequest, publish: Callable[[str], Published]) -> Published:
    """A cohort in every layout."""
    return publish(request.param)


def test_a_layout_becomes_a_data_set_with_its_outcomes(each: Published) -> None:
    assert each.convert() == 0, each.error()
    assert (each.folder / "survival.csv").read_text() == SURVIVAL[each.layout]
    table = read_survival_table(each.folder / "survival.csv")
    test_cases = WITHOUT_MASK.get(each.layout, [])
    expected = {"dataset.json", "survival.csv", "survival.json", "conversion_log.json"}
    expected |= {"survival_test.csv"} if test_cases else set()
    for part, cases in (("Tr", table.case_ids), ("Ts", test_cases)):
        expected |= {f"images{part}/{case}_000{channel}.nii.gz" for case in cases for channel in (0, 1)}
    expected |= {f"labelsTr/{case}.nii.gz" for case in table.case_ids}
    assert files(each.folder) == expected
    description = json.loads((each.folder / "dataset.json").read_text())
    assert description["numTraining"] == len(table.case_ids)
    assert description["channel_names"] == {"0": "CT", "1": "PET"}


def test_the_three_images_of_a_patient_share_one_grid_and_the_mask_is_on_the_tumour(each: Published) -> None:
    each.convert()
    for label_file in (each.folder / "labelsTr").iterdir():
        case = label_file.name.removesuffix(".nii.gz")
        label = sitk.ReadImage(str(label_file))
        scans = [each.folder / f"imagesTr/{case}_000{channel}.nii.gz" for channel in (0, 1)]
        ct, pet = (sitk.ReadImage(str(scan)) for scan in scans)
        for image in (ct, pet):
            assert image.GetSize() == label.GetSize()
            assert image.GetSpacing() == pytest.approx((5, 5, 5))
            assert image.GetOrigin() == pytest.approx(label.GetOrigin(), abs=1e-3)
            assert image.GetDirection() == pytest.approx(label.GetDirection())
        assert [image.GetPixelIDTypeAsString() for image in (ct, pet, label)] == [
            "16-bit signed integer", "32-bit float", "8-bit unsigned integer"
        ]  # fmt: skip
        uptake, tumour = sitk.GetArrayFromImage(pet), sitk.GetArrayFromImage(label) > 0
        body = sitk.GetArrayFromImage(ct) > -500
        assert uptake[tumour].mean() > 2 * np.median(uptake[body & ~tumour])


def test_orders_of_stages_are_described_and_the_centre_is_the_group(
    publish: Callable[[str], Published],
) -> None:
    cohort = publish("hecktor2026")
    cohort.convert()
    description = json.loads((cohort.folder / "survival.json").read_text())
    assert description["endpoint"] == "relapse-free survival"
    assert description["time_unit"] == "days"
    assert description["group_column"] == "centre"
    assert description["columns"]["t_stage"] == {"type": "ordinal", "categories": ["T1", "T4"]}
    assert description["columns"]["n_stage"] == {"type": "ordinal", "categories": ["N0", "N2b"]}


def test_counts_are_printed(publish: Callable[[str], Published]) -> None:
    cohort = publish("hecktor2022")
    cohort.convert()
    out = cohort.capsys.readouterr().out
    counts = {name: int(n) for name, n in (line.split(":") for line in out.splitlines()[:6])}
    assert counts == {
        "patients": 4, "with a mask": 3, "of them with an outcome": 2, "of them with an event": 1,
        "without an outcome": 1, "without a mask": 1,
    }  # fmt: skip


def test_nnunet_finds_nothing_to_complain_of(publish: Callable[[str], Published]) -> None:
    cohort = publish("hecktor2022")
    cohort.convert()
    verify_dataset_integrity(str(cohort.folder), num_processes=1)


def test_the_sarcoma_mask_is_that_of_the_scan_whose_grid_is_kept(
    publish: Callable[[str], Published],
) -> None:
    cohort = publish("ibsi_sarcoma")
    for grid, name in (("pet", "PET"), ("ct", "CT")):
        options = ("--grid", grid, "--field_mm", "none", "-np", "1", "--overwrite")
        assert cohort.convert(*options, coarse=False) == 0
        published = sitk.ReadImage(str(cohort.source / "nifti" / "STS_001" / f"{name}_mask.nii.gz"))
        label = sitk.ReadImage(str(cohort.folder / "labelsTr" / "STS_001.nii.gz"))
        assert label.GetSpacing() == pytest.approx(published.GetSpacing())
        assert sitk.GetArrayFromImage(label).sum() == sitk.GetArrayFromImage(published).sum()


def test_the_physical_place_of_the_tumour_is_that_of_the_source(publish: Callable[[str], Published]) -> None:
    cohort = publish("hecktor2026")
    cohort.convert()
    centroids = []
    for file in (
        cohort.source / "CHUM-001" / "CHUM-001.nii.gz", cohort.folder / "labelsTr" / "CHUM-001.nii.gz"
    ):  # fmt: skip
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.Execute(sitk.ReadImage(str(file)) > 0)
        centroids.append(np.array(shape.GetCentroid(1)))
    assert np.linalg.norm(centroids[0] - centroids[1]) < 1


def test_a_test_set_without_outcomes_is_converted_for_prediction(
    native: Path, publish: Callable[[str], Published]
) -> None:
    cohort = publish("hecktor2022")
    testing = cohort.source / "testing"
    layouts.hecktor2022_testing(native, testing)
    assert cohort.convert(source=testing) == 0
    said = cohort.capsys.readouterr()
    assert (
        "WARNING: no table has Relapse or RFS, so no patient has an outcome: "
        "hecktor2022_clinical_info_testing.csv\n" in said.err
    )
    assert said.err.count("WARNING") == 1
    assert f"Next, with a trained model: adamss_predict_survival -i {cohort.folder}/imagesTs" in said.out
    assert "nnUNetv2_plan_and_preprocess" not in said.out
    assert files(cohort.folder) == {
        "imagesTs/MDA-201_0000.nii.gz", "imagesTs/MDA-201_0001.nii.gz", "survival_test.csv", "dataset.json",
        "conversion_log.json",
    }  # fmt: skip
    assert (cohort.folder / "survival_test.csv").read_text().splitlines()[1].startswith("MDA-201,,,60,M,78")


def test_a_training_and_a_test_set_side_by_side_become_one_data_set(
    native: Path, publish: Callable[[str], Published]
) -> None:
    cohort = publish("hecktor2022")
    layouts.hecktor2022_testing(native, cohort.source / "hecktor2022_testing")
    assert cohort.convert() == 0
    assert "no patient has an outcome" not in cohort.error()
    assert (cohort.folder / "survival.csv").read_text() == SURVIVAL["hecktor2022"]
    test = (cohort.folder / "survival_test.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in test] == ["case_id", "MDA-201", "USZ-001"]
