from collections.abc import Callable
from pathlib import Path

import pytest

from nnunetv2_adamss.common.case_names import check_case_names
from nnunetv2_adamss.datasets.conversion.source_patients import can_name_files
from nnunetv2_adamss.evaluation.image_baselines import masked_cases
from nnunetv2_adamss.prediction.patient_images import find_patients
from nnunetv2_adamss.radiomics.radiomics_folder import cases_in

_READERS: list[Callable[[Path], list[str]]] = [
    lambda folder: [one.case_id for one in find_patients(folder, 1, ".nii.gz")],
    lambda folder: [one.case_id for one in cases_in(folder, folder, ["CT"], ".nii.gz")],
    masked_cases,
]


@pytest.mark.parametrize("read", _READERS)
@pytest.mark.parametrize("name", [".hidden", "two\nlines", "tab\there"])
def test_a_name_that_no_case_can_have_is_named_not_left_out(
    tmp_path: Path, read: Callable[[Path], list[str]], name: str
) -> None:
    for case_id in ("good", name):
        (tmp_path / f"{case_id}_0000.nii.gz").touch()
    with pytest.raises(ValueError, match="cannot be those of cases: ") as caught:
        read(tmp_path)
    assert repr(name)[:-1] in str(caught.value) and "good" not in str(caught.value)
    assert not can_name_files(name)


@pytest.mark.parametrize("read", _READERS)
def test_a_space_that_does_not_break_can_be_seen(tmp_path: Path, read: Callable[[Path], list[str]]) -> None:
    (tmp_path / "a\u00a0b_0000.nii.gz").touch()
    assert {case_id.removesuffix("_0000") for case_id in read(tmp_path)} == {"a\u00a0b"}


@pytest.mark.parametrize("read", _READERS)
def test_files_of_macos_and_unfinished_conversions_are_not_cases(
    tmp_path: Path, read: Callable[[Path], list[str]]
) -> None:
    for name in ("good", "._good", ".unfinished_node_1_good"):
        (tmp_path / f"{name}_0000.nii.gz").touch()
    assert {case_id.removesuffix("_0000") for case_id in read(tmp_path)} == {"good"}


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/x", "a/b", "x/", "a\x00b"])
def test_a_name_that_would_lead_to_another_folder_is_refused(name: str) -> None:
    check_case_names("'images'", ["good", "a.b", "a b"])
    with pytest.raises(ValueError, match=r"1 name\(s\) in 'images' cannot be those of cases: "):
        check_case_names("'images'", ["good", name])
