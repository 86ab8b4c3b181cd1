"""Small cohorts of phantoms as the public data sets are laid out, with their names of files and columns."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import SimpleITK as sitk

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset

N_PHANTOMS = 4
PHANTOMS = PhantomCohortConfig(
    n_training=N_PHANTOMS,
    n_test=0,
    shape=(32, 32, 32),
    spacing_mm=(5.0, 5.0, 5.0),
    seed=3,
    separate_grids=True,
)


def write_phantoms(folder: Path) -> Path:
    """Scans on their own grids, flipped against each other: ``phantom000__CT.nii.gz``, ``__PT`` and the mask."""
    return write_phantom_dataset(PHANTOMS, folder) / "native"


def copy_patient(native: Path, number: int, ct: Path, pet: Path, mask: Path | None = None) -> None:
    for ending, target in (("__CT", ct), ("__PT", pet), ("", mask)):
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(native / f"phantom{number:03}{ending}.nii.gz", target)


def write_csv(file: Path, header: str, rows: Iterable[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def hecktor2021(native: Path, source: Path) -> None:
    images = source / "hecktor_nii"
    for number, name in enumerate(("CHGJ007", "CHUM010", "CHUS003")):
        ct, pet, mask = (images / f"{name}_{kind}.nii.gz" for kind in ("ct", "pt", "gtvt"))
        copy_patient(native, number, ct, pet, mask)
        sitk.WriteImage(sitk.ReadImage(str(mask)) == 1, str(mask))  # this year had the primary tumour only
    write_csv(
        source / "hecktor2021_patient_info_training.csv",
        '"PatientID","CenterID","Gender (1=M,0=F)","Age","TNM edition","Chemotherapy","T-stage","N-stage","M-stage",'
        '"TNM group","HPV status (0=-, 1=+)","Performance status","Tobacco","Alcohol"',
        [
            'CHGJ007,1,1,59,7,1,T4a,N2c,M0,IVA,"",1.0,1,""',
            "CHUM010,2,0,72,8,0,Tx,N0,M0,I,1,,,",
            "CHUS003,3,1,61,7,1,T2,N2b,Mx,IVA,0,0,1,1",
        ],
    )
    write_csv(
        source / "hecktor2021_patient_endpoint_training.csv",
        "PatientID,Progression,Progression free survival",
        ["CHGJ007,1,369", "CHUM010,0,1226", "CHUS003,0,2021"],
    )


def hecktor2022(native: Path, source: Path) -> None:
    """Mask names with ``_``, a patient in capitals and small letters, one without an outcome, a test patient."""
    images, labels = source / "imagesTr", source / "labelsTr"
    for number, (scans, mask) in enumerate(
        (("CHUM-001", "CHUM_001"), ("CHUV-002", "chuv-002"), ("MDA-003", "MDA-003"))
    ):
        copy_patient(
            native,
            number,
            images / f"{scans}__CT.nii.gz",
            images / f"{scans}__PT.nii.gz",
            labels / f"{mask}.nii.gz",
        )
    copy_patient(
        native, 3, source / "imagesTs" / "USZ-001__ct.NII.GZ", source / "imagesTs" / "USZ-001__PT.nii.gz"
    )
    (images / "._CHUM-001__CT.nii.gz").write_bytes(b"macOS")
    write_csv(
        source / "hecktor2022_clinical_info_training.csv",
        'PatientID,Task 1,Task 2,CenterID,Gender,Age,Weight,Tobacco,Alcohol,Performance status,"HPV status (0=-, 1=+)",'
        "Surgery,Chemotherapy",
        [
            "CHUM-001,1,1,2,M,56,78.5,,,,1,0.0,1",
            "CHUV-002,1,1,4,F,67,,1,0,2,,0.0,1",
            "MDA-003,1,0,5,M,48,90,,,1,0,,0",
        ],
    )
    write_csv(
        source / "hecktor2022_endpoint_training.csv",
        "PatientID,Relapse,RFS",
        ["CHUM-001,0,1704", "CHUV-002,1,395"],
    )


def hecktor2022_testing(native: Path, source: Path) -> None:
    """As the test set is given out: scans and clinical values, neither masks nor outcomes."""
    images = source / "imagesTs"
    copy_patient(native, 2, images / "MDA-201__CT.nii.gz", images / "MDA-201__PT.nii.gz")
    write_csv(
        source / "hecktor2022_clinical_info_testing.csv",
        'PatientID,Task 1,Task 2,CenterID,Gender,Age,Weight,Tobacco,Alcohol,Performance status,"HPV status (0=-, 1=+)",'
        "Surgery,Chemotherapy",
        ["MDA-201,1,1,5,M,60,78,,,,1,,1"],
    )


def hecktor2025(native: Path, source: Path) -> None:
    """Tasks 1 and 2 with the same patient, whose mask is in Task 1 only; HPV in Task 3."""
    task1, task2, task3 = (source / f"Task {number}" for number in (1, 2, 3))
    for number, name in enumerate(("CHUM-001", "CHUP-002")):
        copy_patient(native, number, *_patient_folder(task1, name))
    for task in (task2, task3):
        copy_patient(native, 0, *_patient_folder(task, "CHUM-001")[:2])
        copy_patient(native, 2, *_patient_folder(task, "MDA-003")[:2])
    planning = task2 / "CHUM-001" / "CHUM-001__CTPlanning.nii.gz"
    shutil.copy(native / "phantom000__CT.nii.gz", planning)
    shutil.copy(planning, planning.with_name("CHUM-001__RTDOSE.nii.gz"))
    columns = (
        "PatientID,CenterID,Age,Gender,Tobacco Consumption,Alcohol Consumption,Performance Status,"
        "Treatment,M-stage"
    )
    write_csv(
        task1 / "HECKTOR_2025_Training_Task_1.csv",
        columns,
        ["CHUM-001,1,56,1,0,,1,1,M0", "CHUP-002,2,64,0,,1,,0,M0"],
    )
    write_csv(
        task2 / "HECKTOR_2025_Training_Task_2.csv",
        f"{columns},Relapse,RFS",
        ["CHUM-001,1,56,1,0,,1,1,M0,1,421", "MDA-003,3,71,1,,,0,1,Mx,0,2001"],
    )
    write_csv(
        task3 / "HECKTOR_2025_Training_Task_3.csv",
        f"{columns},Relapse,RFS,HPV Status",
        ["CHUM-001,1,56,1,0,,1,1,M0,1,421,1", "MDA-003,3,71,1,,,0,1,Mx,0,2001,0"],
    )


def hecktor2026(native: Path, source: Path) -> None:
    for number, name in enumerate(("CHUM-001", "USZ-004")):
        copy_patient(native, number, *_patient_folder(source, name))
    write_csv(
        source / "HECKTOR_2026_Training_Task.csv",
        "PatientID,CenterID,Age,Gender,Tobacco Consumption,Alcohol Consumption,Performance Status,Treatment,HPV Status,"
        "T-stage,N-stage,M-stage,Relapse,RFS",
        ["CHUM-001,1,56,1,0,,1,1,1,T1,N2b,M0,1,421", "USZ-004,9,64,0,,1,,0,,T4,N0,M0,0,1800"],
    )


def ibsi_sarcoma(native: Path, source: Path) -> None:
    """Masks on both grids: the PET's is the CT's, nearest neighbour."""
    for number, name in enumerate(("STS_001", "STS_002")):
        folder = source / "nifti" / name
        copy_patient(
            native, number, folder / "CT_image.nii.gz", folder / "PET_image.nii.gz", folder / "CT_mask.nii.gz"
        )
        mask = sitk.ReadImage(str(folder / "CT_mask.nii.gz")) > 0
        sitk.WriteImage(mask, str(folder / "CT_mask.nii.gz"))
        pet = sitk.ReadImage(str(folder / "PET_image.nii.gz"))
        sitk.WriteImage(
            sitk.Resample(mask, pet, sitk.Transform(), sitk.sitkNearestNeighbor),
            str(folder / "PET_mask.nii.gz"),
        )
    pd.DataFrame(
        {
            "Patient ID": ["STS_001", "STS_002", None, "NOTES"],
            "Age": [59, 61, None, None],
            "Sex": ["Male", "Female", None, None],
            "MSKCC type": ["Liposarcoma", "MFH", None, None],
            "Grade": ["High", "N/A", None, None],
            "Outcome (recurrence, mets)": ["Mets \u2013 arms", "--", None, None],
            "Time \u2013 diagnosis to outcome (days)": [266, "--", None, None],
            "Status (NED, AWD, D)": ["D", "NED", None, None],
            "Time \u2013 diagnosis to last follow-up (days)": [845, 501, None, None],
        }
    ).to_excel(source / "INFOclinical_STS.xlsx", index=False)


def _patient_folder(folder: Path, name: str) -> tuple[Path, Path, Path]:
    own = folder / name
    return own / f"{name}__CT.nii.gz", own / f"{name}__PT.nii.gz", own / f"{name}.nii.gz"


LAYOUTS = {
    layout.__name__: layout for layout in (hecktor2021, hecktor2022, hecktor2025, hecktor2026, ibsi_sarcoma)
}
