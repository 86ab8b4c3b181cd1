"""PET in Bq/ml: recognised, and converted by a table."""

from pathlib import Path

import numpy as np
import pytest

from nnunetv2_adamss.datasets.conversion.pet_units import is_activity, read_suv_factors, unit_warning

HEADER = "case_id,weight_kg,injected_dose_mbq,minutes_to_scan"


def scan(body_suv: float, lesion_suv: float) -> tuple[np.ndarray, np.ndarray]:
    """A body in half of the image, with a lesion."""
    ct = np.full((8, 8, 8), -1000, np.int16)
    ct[:4] = 40
    pet = np.where(ct > 0, body_suv, 0.0).astype(np.float32)
    pet[0, 0, 0] = lesion_suv
    return pet, ct


@pytest.mark.parametrize(("body", "lesion"), [(0.7, 12.0), (0.3, 99.0), (2.5, 30.0)])
def test_suv_is_not_complained_of(body: float, lesion: float) -> None:
    assert unit_warning(*scan(body, lesion)) is None


@pytest.mark.parametrize(("body", "lesion"), [(3500.0, 60000.0), (0.7, 101.0), (20.0, 90.0)])
def test_activity_looks_like_bq_ml(body: float, lesion: float) -> None:
    warning = unit_warning(*scan(body, lesion))
    assert (
        warning == f"the PET may be in Bq/ml, not SUV (median in the body {body:.4g}, maximum {lesion:.4g})"
    )


def test_the_bladder_alone_makes_no_suv_an_activity() -> None:
    assert is_activity(*scan(3500.0, 60000.0))
    assert not is_activity(*scan(0.7, 300.0))


def test_no_uptake_and_no_body_are_odd_too() -> None:
    assert "hardly any uptake" in (unit_warning(*scan(0.0001, 0.02)) or "")
    pet, ct = scan(1.0, 5.0)
    assert "no body" in (unit_warning(pet, np.full_like(ct, -1000)) or "")


def test_the_factor_is_weight_over_decayed_dose(tmp_path: Path) -> None:
    # 70 kg, 350 MBq, one half-life of F-18: 70,000 g / 175e6 Bq = 0.0004 ml/Bq. At injection time: half of that.
    file = tmp_path / "doses.csv"
    file.write_text(f"{HEADER}\nCHUM-001,70,350,109.77\nCHUM_002,70,350,0\n")
    factors = read_suv_factors(file, ["CHUM-001", "CHUM-002", "CHUM-003"])
    assert factors == {"CHUM-001": pytest.approx(4e-4), "CHUM-002": pytest.approx(2e-4)}


def test_the_factor_is_that_of_the_table_that_hecktor_2026_published(tmp_path: Path) -> None:
    # CHUP-014: 77 kg, 225 MBq, half-life 6586.2 s, 4697.999982 s from injection to scan, factor 0.000561094.
    file = tmp_path / "doses.csv"
    file.write_text(f"{HEADER},half_life_min\nCHUP-014,77,225,78.2999997,109.77\n")
    assert read_suv_factors(file, ["CHUP-014"]) == {"CHUP-014": pytest.approx(0.000561094, rel=1e-5)}
    file.write_text(
        "pid,units,patient_weight_kg,bqml_to_suvbw_factor\nCHUP-014,BQML,77,0.000561094\nMDA-410,BQML,77,0.000247645\n"
    )
    assert read_suv_factors(file, ["CHUP-014", "CHUM-001"]) == {"CHUP-014": 0.000561094}


def test_no_patient_gets_the_factor_of_another_whose_name_is_alike(tmp_path: Path) -> None:
    file = tmp_path / "doses.csv"
    file.write_text("case_id,bqml_to_suvbw_factor\n1-12,0.0002\nCHUM_001,0.0003\n11_2,0.0004\n")
    assert read_suv_factors(file, ["1-12", "11-2", "CHUM-001"]) == {"1-12": 0.0002, "CHUM-001": 0.0003}


def test_another_half_life(tmp_path: Path) -> None:
    file = tmp_path / "doses.csv"
    file.write_text(f"{HEADER},half_life_min\na,70,350,67.71,67.71\nb,70,350,109.77,\n")
    assert read_suv_factors(file, ["a", "b"]) == {"a": pytest.approx(4e-4), "b": pytest.approx(4e-4)}


def test_all_faults_of_the_table_are_reported_together(tmp_path: Path) -> None:
    file = tmp_path / "doses.csv"
    file.write_text(f"{HEADER}\na,0,350,60\nb,70,much,-1\na,70,350,60\n")
    with pytest.raises(ValueError) as error:
        read_suv_factors(file, ["a", "b"])
    text = str(error.value)
    assert "there is more than one row of: a" in text
    assert "weight_kg is not a number in its range for: a" in text
    assert "injected_dose_mbq is not a number in its range for: b" in text
    assert "minutes_to_scan is not a number in its range for: b" in text


def test_a_table_without_the_dose_says_what_is_expected(tmp_path: Path) -> None:
    file = tmp_path / "doses.csv"
    file.write_text("case_id,weight_kg\na,70\n")
    with pytest.raises(
        ValueError, match="no column injected_dose_mbq, minutes_to_scan; expected case_id, weight_kg"
    ):
        read_suv_factors(file, ["a"])
    with pytest.raises(ValueError, match=r"or case_id \(or pid\) and bqml_to_suvbw_factor; found"):
        read_suv_factors(file, ["a"])


@pytest.mark.parametrize("patient", ["Case_ID", "PID"])
def test_capitals_in_the_header_do_not_matter(tmp_path: Path, patient: str) -> None:
    file = tmp_path / "doses.csv"
    file.write_text(f"{patient},BQML_to_SUVbw_factor\na,0.0002\n")
    assert read_suv_factors(file, ["a"]) == {"a": 0.0002}
