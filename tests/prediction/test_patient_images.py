"""Images of new patients that are given file by file, from Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.prediction.patient_images import PatientImages, given_patients

FILES = ["ct.nii.gz", "pet.nii.gz"]


def given(images: Any) -> list[PatientImages]:
    return given_patients(images, ["CT", "PET"], ".nii.gz")


@pytest.mark.parametrize(
    "files",
    [
        FILES,
        tuple(FILES),
        [Path(file) for file in FILES],
        pd.Series(FILES),
        np.array(FILES),
        dict(zip("ab", FILES, strict=True)).values(),
    ],
)
def test_files_are_given_as_any_list_in_the_order_of_the_channels(files: Any) -> None:
    assert given({"anna": files}) == [PatientImages("anna", (Path("ct.nii.gz"), Path("pet.nii.gz")))]


def test_whole_numbers_are_names_as_tables_have_them() -> None:
    assert [patient.case_id for patient in given({1: FILES, np.int64(20): FILES, "3": FILES})] == [
        "1",
        "20",
        "3",
    ]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({"../x": FILES}, r"1 name\(s\) in 'images' cannot be those of cases: '../x'"),
        ({"/etc/x": FILES, "": FILES}, r"2 name\(s\) in 'images' cannot be those of cases: '', '/etc/x'"),
        ({".hidden": FILES}, "cannot be those of cases: '.hidden'"),
        ({1.5: FILES, None: FILES}, "Each case_id in 'images' must be text, but there is 1.5, None"),
        ({True: FILES}, "Each case_id in 'images' must be text, but there is True"),
        ({1: FILES, "1": FILES}, "Each case_id in 'images' must be there once, but twice there is 1"),
        ({"a": "ct.nii.gz"}, "a: ct.nii.gz is not one file for each channel of the model: CT, PET"),
        ({"a": set(FILES)}, "a: .* is not one file for each channel"),
        ({"a": None}, "a: None is not one file for each channel"),
        ({"a": ["ct.nii.gz", None]}, "a: the model reads .nii.gz files, but None is not one"),
    ],
)
def test_what_is_no_patient_is_refused_in_a_sentence(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        given(images)


@pytest.mark.parametrize("images", [FILES, pd.Series([FILES], ["anna"]), pd.DataFrame({"anna": FILES}), None])
def test_what_is_neither_a_folder_nor_a_dict_is_refused(images: Any) -> None:
    kind = type(images).__name__
    with pytest.raises(
        ValueError,
        match=f"'images' must be a folder, or a dict of the files of each patient .*, but is a {kind}",
    ):
        given(images)
