"""SUV from the tags of a PET, as QIBA's FDG-PET profile describes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from pydicom.config import disable_value_validation
from pydicom.valuerep import DA, DT, TM

from nnunetv2_adamss.dicom.tags import number_of, tag_name, texts_of

SuvType = Literal["bw", "lbm", "bsa"]
SUV_TYPES: tuple[str, ...] = get_args(SuvType)

# Private tags, with their creators: Philips' factors from counts, and when GE's scanner began.
PHILIPS_CREATOR, PHILIPS_SUV, PHILIPS_ACTIVITY = (0x7053, 0x0010), (0x7053, 0x1000), (0x7053, 0x1009)
GE_CREATOR, GE_SCAN = (0x0009, 0x0010), (0x0009, 0x100D)
SUV_TAGS: tuple[str | tuple[int, int], ...] = (
    "Units", "SUVType", "DecayCorrection", "PatientWeight", "PatientSize", "PatientSex", "SeriesDate", "SeriesTime",
    "AcquisitionDate", "AcquisitionTime", "RadiopharmaceuticalInformationSequence", PHILIPS_CREATOR, PHILIPS_SUV,
    PHILIPS_ACTIVITY, GE_CREATOR, GE_SCAN, "CorrectedImage",
)  # fmt: skip
_INJECTION = "RadiopharmaceuticalInformationSequence"
# How SUVType names what the voxels already are; nothing stands for body weight.
_STORED: Mapping[str, SuvType] = {"": "bw", "BW": "bw", "LBMJANMA": "lbm", "BSA": "bsa"}
_MOST_HALF_LIVES = 10.0  # after which a thousandth of the dose is left
_LEAST_DOSE_BQ = 1e5  # any less was written in MBq
_MOST_HEIGHT_M = 2.8  # any more was written in cm
_LONGEST_SCAN = timedelta(hours=3)


@dataclass(frozen=True)
class SuvFactor:
    """Factor from the values of a PET, after their rescale slope, to SUV.

    Args:
        factor: multiplies every voxel.
        rule: where it comes from, in words.
    """

    factor: float
    rule: str


def suv_factor(slices: Sequence[Mapping[Any, Any]], suv: SuvType = "bw") -> SuvFactor:
    """Return the factor to SUV by body weight (g/ml), lean body mass (g/ml) or body surface area (cm2/ml).

    Args:
        slices: ``SUV_TAGS`` of each slice, as ``read_tags`` gives them.
        suv: the normalisation. Lean body mass is that of Janmahasatian et al. 2005, body surface area that of Du Bois.

    Raises:
        ValueError: naming the tag that is missing or cannot be used.
    """
    unit = str(slices[0].get("Units", ""))
    with disable_value_validation():  # its warnings would print values
        if unit in ("GML", "CM2ML"):
            return _of_suv(slices[0], unit, suv)
        if unit == "BQML":
            return _of_activity(slices, suv)
        if unit == "CNTS":
            return _of_counts(slices, suv)
    raise ValueError(
        f"its unit, {tag_name('Units')}, is {unit or 'missing'}; BQML, GML, CM2ML and Philips' CNTS can be read"
    )


def _of_suv(tags: Mapping[Any, Any], unit: str, suv: SuvType) -> SuvFactor:
    name = str(tags.get("SUVType", "BSA" if unit == "CM2ML" else ""))
    if name not in _STORED:
        raise ValueError(f"{tag_name('SUVType')} is {name}; BW, LBMJANMA and BSA can be read")
    stored = _STORED[name]
    if stored == suv:
        return SuvFactor(1.0, f"{unit}: the values are SUV already")
    return SuvFactor(_size(tags, suv) / _size(tags, stored), f"{unit}: SUV by {stored} to {suv}")


def _of_activity(slices: Sequence[Mapping[Any, Any]], suv: SuvType) -> SuvFactor:
    tags = slices[0]
    correction = str(tags.get("DecayCorrection", "missing"))
    if correction not in ("START", "ADMIN"):
        raise ValueError(f"{tag_name('DecayCorrection')} is {correction}, expected START or ADMIN")
    corrections = texts_of(tags, "CorrectedImage")
    if corrections and "DECY" not in corrections:
        raise ValueError(
            f"{tag_name('DecayCorrection')} is {correction}, but {tag_name('CorrectedImage')} does not list DECY"
        )
    drug = _injection(tags)
    dose_bq = _positive(drug, "RadionuclideTotalDose")
    if dose_bq < _LEAST_DOSE_BQ:
        raise ValueError(f"{tag_name('RadionuclideTotalDose')} is {dose_bq:g}, too low for Bq; is it in MBq?")
    left = 1.0
    if correction == "START":
        half_life_s = _positive(drug, "RadionuclideHalfLife")
        left = 0.5 ** (_seconds_to_scan(slices, drug, half_life_s) / half_life_s)
    return SuvFactor(_size(tags, suv) / (dose_bq * left), f"BQML, decay correction {correction}")


def _of_counts(slices: Sequence[Mapping[Any, Any]], suv: SuvType) -> SuvFactor:
    tags = slices[0]
    is_philips = "Philips" in str(tags.get(PHILIPS_CREATOR, ""))
    if is_philips and float(tags.get(PHILIPS_SUV, 0)) > 0:
        by_weight = number_of(tags, PHILIPS_SUV)
        ratio = 1.0 if suv == "bw" else _size(tags, suv) / _size(tags, "bw")
        return SuvFactor(by_weight * ratio, f"CNTS, Philips' {tag_name(PHILIPS_SUV)}")
    if is_philips and float(tags.get(PHILIPS_ACTIVITY, 0)) > 0:
        activity = _of_activity(slices, suv)
        return SuvFactor(
            activity.factor * number_of(tags, PHILIPS_ACTIVITY),
            f"CNTS, Philips' {tag_name(PHILIPS_ACTIVITY)}, then {activity.rule}",
        )
    raise ValueError(
        f"{tag_name('Units')} is CNTS, which only Philips' {tag_name(PHILIPS_SUV)} or {tag_name(PHILIPS_ACTIVITY)} "
        "make SUV of; neither is there"
    )


def _size(tags: Mapping[Any, Any], suv: SuvType) -> float:
    """Return the size of the patient by which activity is divided: g, or cm2 for a surface."""
    return _SIZES[suv](tags)


def _weight_g(tags: Mapping[Any, Any]) -> float:
    return 1000 * _positive(tags, "PatientWeight")


def _lean_mass_g(tags: Mapping[Any, Any]) -> float:
    """Return the lean body mass by Janmahasatian et al. 2005, doi 10.2165/00003088-200544100-00004."""
    sex = str(tags.get("PatientSex", "missing"))
    if sex not in ("M", "F"):
        raise ValueError(f"{tag_name('PatientSex')} is {sex}, but lean body mass needs M or F")
    weight_kg = _positive(tags, "PatientWeight")
    bmi = weight_kg / _height_m(tags) ** 2
    added, slope = (6680, 216) if sex == "M" else (8780, 244)
    return 1000 * 9270 * weight_kg / (added + slope * bmi)


def _surface_cm2(tags: Mapping[Any, Any]) -> float:
    """Return the body surface by Du Bois and Du Bois 1916."""
    return 71.84 * _positive(tags, "PatientWeight") ** 0.425 * (100 * _height_m(tags)) ** 0.725


_SIZES: Mapping[str, Callable[[Mapping[Any, Any]], float]] = {
    "bw": _weight_g, "lbm": _lean_mass_g, "bsa": _surface_cm2,
}  # fmt: skip


def _height_m(tags: Mapping[Any, Any]) -> float:
    height = _positive(tags, "PatientSize")
    if height > _MOST_HEIGHT_M:
        raise ValueError(f"{tag_name('PatientSize')} is {height:g}, too high for metres; is it in cm?")
    return height


def _injection(tags: Mapping[Any, Any]) -> Mapping[str, Any]:
    sequence = tags.get(_INJECTION, ())
    if len(sequence) != 1:
        raise ValueError(f"{tag_name(_INJECTION)} has {len(sequence)} items, expected 1")
    item: Mapping[str, Any] = sequence[0]
    return item


def _positive(tags: Mapping[Any, Any], keyword: str) -> float:
    value = number_of(tags, keyword)
    if not value > 0:
        raise ValueError(f"{tag_name(keyword)} is {value:g}, but must be above 0")
    return value


def _seconds_to_scan(
    slices: Sequence[Mapping[Any, Any]], drug: Mapping[str, Any], half_life_s: float
) -> float:
    """Return the time from injection to the start of the scan, to which the image is decay-corrected."""
    scan = _scan_start(slices)
    keyword, time_keyword = "RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime"
    if keyword in drug:
        injected = _moment(drug, keyword, time_keyword)
    else:
        keyword = time_keyword
        injected = _last_at(_time(drug, keyword), scan)
    seconds = (scan - injected).total_seconds()
    if not 0 <= seconds <= _MOST_HALF_LIVES * half_life_s:
        raise ValueError(
            f"{tag_name(keyword)} is {seconds / 3600:.3g} hours before the scan, expected 0 to "
            f"{_MOST_HALF_LIVES:g} half-lives"
        )
    return seconds


def _scan_start(slices: Sequence[Mapping[Any, Any]]) -> datetime:
    """Return when the scan began: the series' time, unless a later series was made of the images."""
    series = _date_and_time(slices[0], "SeriesDate", "SeriesTime")
    acquired = [_acquisition_start(tags, series) for tags in slices if "AcquisitionTime" in tags]
    if not acquired or series <= min(acquired):
        return series
    if "GEMS" in str(slices[0].get(GE_CREATOR, "")) and GE_SCAN in slices[0]:
        return _moment(slices[0], GE_SCAN)
    return min(acquired)


def _acquisition_start(tags: Mapping[Any, Any], series: datetime) -> datetime:
    if "AcquisitionDate" in tags:
        return _date_and_time(tags, "AcquisitionDate", "AcquisitionTime")
    # A slice of an original series follows its start within one scan; any other was acquired before.
    return _last_at(_time(tags, "AcquisitionTime"), series + _LONGEST_SCAN)


def _last_at(time: timedelta, latest: datetime) -> datetime:
    """Return when it was this time of day for the last time, be it on the day before."""
    moment = latest.replace(hour=0, minute=0, second=0, microsecond=0) + time
    return moment if moment <= latest else moment - timedelta(days=1)


def _date_and_time(tags: Mapping[Any, Any], date: str, time: str) -> datetime:
    if date not in tags:
        raise ValueError(f"{tag_name(date)} is missing")
    try:
        day = DA(str(tags[date]))
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"{tag_name(date)} is not a date")
    return datetime(day.year, day.month, day.day) + _time(tags, time)


def _time(tags: Mapping[Any, Any], keyword: str) -> timedelta:
    if keyword not in tags:
        raise ValueError(f"{tag_name(keyword)} is missing")
    text = str(tags[keyword])
    try:
        time = TM(text)
    except ValueError:
        time = None
    if time is None or len(text) < len("HHMM"):  # an hour alone is off by up to 59 minutes
        raise ValueError(f"{tag_name(keyword)} is not a time with hour and minute")
    return timedelta(hours=time.hour, minutes=time.minute, seconds=time.second, microseconds=time.microsecond)


def _moment(tags: Mapping[Any, Any], keyword: str | tuple[int, int], time_keyword: str = "") -> datetime:
    """Return date and time of a tag, without its time zone, which the scan's own times lack too.

    A date alone takes the time of day from another tag: it does not mean midnight.
    """
    text = str(tags[keyword])
    n_digits = len(re.split(r"\D", text, maxsplit=1)[0])
    try:
        moment = DT(text)
    except ValueError:
        moment = None
    if moment is None or n_digits < len("YYYYMMDD"):
        raise ValueError(f"{tag_name(keyword)} is not a date and time")
    day = datetime(moment.year, moment.month, moment.day)
    if n_digits >= len("YYYYMMDDHHMM"):
        return day.replace(
            hour=moment.hour, minute=moment.minute, second=moment.second, microsecond=moment.microsecond
        )
    if time_keyword in tags:
        return day + _time(tags, time_keyword)
    absent = f", and {tag_name(time_keyword)} is missing" if time_keyword else ""
    raise ValueError(f"{tag_name(keyword)} has no time of day with hour and minute{absent}")
