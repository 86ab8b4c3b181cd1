"""SUV of PET objects that are written with a known activity."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnunetv2_adamss.dicom.suv import (
    GE_CREATOR,
    GE_SCAN,
    PHILIPS_ACTIVITY,
    PHILIPS_CREATOR,
    PHILIPS_SUV,
    SUV_TAGS,
    SuvType,
    suv_factor,
)
from nnunetv2_adamss.dicom.tags import read_tags
from tests.dicom.writer import Study

# An hour, and the half-life of F-18 in seconds; 70 kg and 350 MBq, as the writer has them.
LEFT = 0.5 ** (3600 / 6586.2)
BY_WEIGHT = 70_000 / 350e6


def factor(
    folder: Path, suv: SuvType = "bw", private: dict[tuple[int, int], Any] | None = None, **tags: Any
) -> float:
    """The factor of a PET of three slices with these tags."""
    study = Study(folder)
    slices = study.pet(np.ones((3, 4, 4)), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0), **tags)
    files = sorted((folder / "PET").iterdir())
    assert len(files) == len(slices)
    read = [read_tags(file, SUV_TAGS) for file in files]
    return suv_factor([{**one, **(private or {})} for one in read], suv).factor


def test_activity_at_the_start_of_the_scan_is_divided_by_what_is_left_of_the_dose(tmp_path: Path) -> None:
    assert factor(tmp_path) == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


def test_the_kind_of_decay_correction_is_enough_without_a_list_of_corrections(tmp_path: Path) -> None:
    assert factor(tmp_path, CorrectedImage=None) == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


def test_activity_at_the_injection_is_divided_by_the_whole_dose(tmp_path: Path) -> None:
    assert factor(tmp_path, DecayCorrection="ADMIN") == pytest.approx(BY_WEIGHT, rel=1e-6)


def test_an_injection_before_midnight_is_an_hour_before_a_scan_after_it(tmp_path: Path) -> None:
    times = {"SeriesDate": "20200302", "SeriesTime": "001500", "AcquisitionDate": "20200302"}
    found = factor(
        tmp_path,
        **times,
        AcquisitionTime="001500",
        injection={"RadiopharmaceuticalStartTime": "231500.00"},
    )
    assert found == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


def test_date_and_time_of_the_injection_count_before_its_time_alone(tmp_path: Path) -> None:
    found = factor(
        tmp_path,
        injection={
            "RadiopharmaceuticalStartDateTime": "20200301100000.000000+0100",
            "RadiopharmaceuticalStartTime": "083000",
        },
    )
    assert found == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


def test_the_half_life_is_that_of_the_tag(tmp_path: Path) -> None:
    found = factor(tmp_path, injection={"RadionuclideHalfLife": "4062.6"})
    assert found == pytest.approx(BY_WEIGHT / 0.5 ** (3600 / 4062.6), rel=1e-6)


def test_a_series_that_was_made_later_does_not_count_as_the_scan(tmp_path: Path) -> None:
    assert factor(tmp_path, SeriesTime="170000") == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)
    without_date = factor(tmp_path / "undated", SeriesTime="170000", AcquisitionDate="")
    assert without_date == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


@pytest.mark.parametrize(
    ("series", "acquired"), [("110000", "110500"), ("235900", "000400"), ("001500", "002000")]
)
def test_a_slice_without_a_date_follows_the_start_of_its_series_also_after_midnight(
    tmp_path: Path, series: str, acquired: str
) -> None:
    """The injection is an hour before the series, not before the slice five minutes later."""
    injected = f"{(int(series[:2]) - 1) % 24:02}{series[2:]}"
    found = factor(
        tmp_path,
        SeriesTime=series,
        AcquisitionTime=acquired,
        AcquisitionDate="",
        injection={"RadiopharmaceuticalStartTime": injected},
    )
    assert found == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


def test_a_slice_without_a_date_may_be_of_the_day_before_its_series(tmp_path: Path) -> None:
    """Acquired at 23:30, made into a series at half past midnight; injected at 22:30."""
    found = factor(
        tmp_path,
        SeriesDate="20200302",
        SeriesTime="003000",
        AcquisitionTime="233000",
        AcquisitionDate="",
        injection={"RadiopharmaceuticalStartDateTime": "20200301223000"},
    )
    assert found == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


@pytest.mark.parametrize("date", ["20200301", "2020030110", "20200301 090000"])
def test_a_date_of_the_injection_without_hour_and_minute_takes_its_time_from_the_other_tag(
    tmp_path: Path, date: str
) -> None:
    found = factor(tmp_path, injection={"RadiopharmaceuticalStartDateTime": date})
    assert found == pytest.approx(BY_WEIGHT / LEFT, rel=1e-6)


def test_a_later_series_of_ge_knows_when_the_scan_began(tmp_path: Path) -> None:
    private = {GE_CREATOR: "GEMS_PETD_01", GE_SCAN: "20200301105000"}
    found = factor(tmp_path, SeriesTime="170000", private=private)
    assert found == pytest.approx(BY_WEIGHT / 0.5 ** (3000 / 6586.2), rel=1e-6)


def test_values_that_are_suv_already_stay(tmp_path: Path) -> None:
    assert factor(tmp_path / "unset", Units="GML") == 1
    assert factor(tmp_path / "set", Units="GML", SUVType="BW") == 1
    assert factor(tmp_path / "bsa", "bsa", Units="CM2ML") == 1


def test_lean_body_mass_and_body_surface_area_are_those_of_their_papers(tmp_path: Path) -> None:
    """Janmahasatian: 9270 x 70 / (8780 + 244 x 22.857) = 45.197 kg for a woman; Du Bois: 1.8481 m2."""
    assert factor(tmp_path / "lbm", "lbm") == pytest.approx(45_197.0149 / 350e6 / LEFT, rel=1e-6)
    man = factor(tmp_path / "man", "lbm", PatientSex="M")
    assert man == pytest.approx(1000 * 9270 * 70 / (6680 + 216 * 22.857142857) / 350e6 / LEFT, rel=1e-6)
    surface_m2 = 0.007184 * 70**0.425 * 175**0.725
    assert surface_m2 == pytest.approx(1.848, abs=1e-3)
    assert factor(tmp_path / "bsa", "bsa") == pytest.approx(surface_m2 * 1e4 / 350e6 / LEFT, rel=1e-6)
    stored = factor(tmp_path / "stored", "lbm", Units="GML")
    assert stored == pytest.approx(45_197.0149 / 70_000, rel=1e-6)


def test_counts_of_philips_have_a_factor_of_their_own(tmp_path: Path) -> None:
    philips = {PHILIPS_CREATOR: "Philips PET Private Group"}
    suv = factor(tmp_path / "suv", Units="CNTS", private={**philips, PHILIPS_SUV: 0.000123})
    assert suv == pytest.approx(0.000123, rel=1e-6)
    activity = {**philips, PHILIPS_SUV: 0.0, PHILIPS_ACTIVITY: 2.5}
    found = factor(tmp_path / "activity", Units="CNTS", private=activity)
    assert found == pytest.approx(2.5 * BY_WEIGHT / LEFT, rel=1e-6)


def test_private_tags_are_read_from_the_file(tmp_path: Path) -> None:
    slices = Study(tmp_path).pet(np.ones((3, 4, 4)), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0), Units="CNTS")
    slices[0].private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.00042")
    slices[0].save_as(tmp_path / "philips.dcm", enforce_file_format=True)
    assert suv_factor([read_tags(tmp_path / "philips.dcm", SUV_TAGS)]).factor == pytest.approx(
        0.00042, rel=1e-6
    )


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PatientWeight": None}, r"PatientWeight \(0010,1030\) is missing"),
        ({"PatientWeight": "0"}, r"PatientWeight \(0010,1030\) is 0, but must be above 0"),
        ({"Units": None}, r"Units \(0054,1001\), is missing"),
        ({"Units": "PROPCPS"}, "is PROPCPS; BQML, GML"),
        ({"Units": "CNTS"}, r"only Philips' private tag \(7053,1000\)"),
        ({"Units": "GML", "SUVType": "IBW"}, r"SUVType \(0054,1006\) is IBW"),
        ({"DecayCorrection": "NONE"}, r"DecayCorrection \(0054,1102\) is NONE, expected START or ADMIN"),
        ({"CorrectedImage": ["ATTN"]}, r"is START, but CorrectedImage \(0028,0051\) does not list DECY"),
        ({"CorrectedImage": None, "DecayCorrection": None}, "is missing, expected START or ADMIN"),
        ({"DecayCorrection": None}, "is missing, expected START or ADMIN"),
        ({"RadiopharmaceuticalInformationSequence": None}, r"\(0054,0016\) has 0 items, expected 1"),
        ({"injection": {"RadionuclideTotalDose": None}}, r"RadionuclideTotalDose \(0018,1074\) is missing"),
        ({"injection": {"RadionuclideTotalDose": "350"}}, "is 350, too low for Bq; is it in MBq"),
        ({"injection": {"RadionuclideHalfLife": None}}, r"RadionuclideHalfLife \(0018,1075\) is missing"),
        ({"injection": {"RadiopharmaceuticalStartTime": None}}, r"StartTime \(0018,1072\) is missing"),
        ({"injection": {"RadiopharmaceuticalStartTime": "110500"}}, "is 23.9 hours before the scan"),
        (
            {"injection": {"RadiopharmaceuticalStartDateTime": "20200301", "RadiopharmaceuticalStartTime": None}},
            r"StartDateTime \(0018,1078\) has no time of day with hour and minute, and Radiopharmaceutical"
            r"StartTime \(0018,1072\) is missing",
        ),
        (
            {"injection": {"RadiopharmaceuticalStartDateTime": "2020-03-01"}},
            r"StartDateTime \(0018,1078\) is not a date and time",
        ),
        (
            {"injection": {"RadiopharmaceuticalStartTime": "10"}},
            r"StartTime \(0018,1072\) is not a time with hour and minute",
        ),
        (
            {"SeriesTime": "120000", "private": {GE_CREATOR: "GEMS_PETD_01", GE_SCAN: "20200301"}},
            r"private tag \(0009,100d\) has no time of day with hour and minute",
        ),
        ({"SeriesTime": None}, r"SeriesTime \(0008,0031\) is missing"),
        ({"SeriesTime": "ten"}, r"SeriesTime \(0008,0031\) is not a time"),
        ({"SeriesDate": "today"}, r"SeriesDate \(0008,0021\) is not a date"),
        ({"SeriesDate": None}, r"SeriesDate \(0008,0021\) is missing"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_its_number(tmp_path: Path, tags: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        factor(tmp_path, **tags)


def test_a_height_in_centimetres_is_no_height(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"PatientSize \(0010,1020\) is 175, too high for metres"):
        factor(tmp_path, "lbm", PatientSize="175")
    with pytest.raises(ValueError, match=r"PatientSex \(0010,0040\) is O, but lean body mass needs M or F"):
        factor(tmp_path / "sex", "lbm", PatientSex="O")
