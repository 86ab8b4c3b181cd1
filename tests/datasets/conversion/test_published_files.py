"""Scans and masks of published cohorts: several of them, broken ones, links, and names that are no names."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import SimpleITK as sitk

from tests.datasets.conversion import layouts
from tests.datasets.conversion.published import Published

Publish = Callable[[str], Published]


def test_a_mask_with_a_strange_value_and_a_broken_file_cost_only_their_patients(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    (cohort.source / "imagesTr" / "CHUM-001__PT.nii.gz").write_bytes(b"not an image")
    cut_off = cohort.source / "imagesTr" / "CHUV-002__CT.nii.gz"
    cut_off.write_bytes(cut_off.read_bytes()[: cut_off.stat().st_size // 2])
    mask = sitk.ReadImage(str(cohort.source / "labelsTr" / "MDA-003.nii.gz"))
    sitk.WriteImage(mask * 3, str(cohort.source / "labelsTr" / "MDA-003.nii.gz"))
    assert cohort.convert() == 1
    said = cohort.capsys.readouterr()
    assert "3 patients could not be converted:\n" in said.err
    assert "CHUV-002__CT.nii.gz is cut off or damaged\n" in said.err
    assert "CHUM-001__PT.nii.gz cannot be read as an image\n" in said.err
    assert "MDA-003: its mask has the values 3, 6; expected 0 = background, 1 = GTVp, 2 = GTVn" in said.err
    assert "Next, with a trained model: " in said.out
    assert not (cohort.folder / "labelsTr").exists()


def test_a_scan_without_the_other_is_named_and_what_comes_next_is_said(publish: Publish) -> None:
    cohort = publish("hecktor2021")
    (cohort.source / "hecktor_nii" / "CHUS003_ct.nii.gz").unlink()
    assert cohort.convert() == 1
    said = cohort.capsys.readouterr()
    assert "1 patient could not be converted:\n  CHUS003: there is no CT beside the other scan" in said.err
    assert "Next: adamss_verify_dataset -d 7" in said.out


@pytest.mark.parametrize("place", ["predicted", "imagesTr"])
def test_two_masks_that_differ_are_never_chosen_between(native: Path, publish: Publish, place: str) -> None:
    cohort = publish("hecktor2022")
    other = cohort.source / place / "CHUM-001.nii.gz"  # in imagesTr, it lies beside the scans
    layouts.copy_patient(native, 3, *[other] * 3)
    assert cohort.convert() == 1
    error = cohort.error()
    assert "CHUM-001: there are masks that differ: " in error
    assert str(other) in error
    assert str(cohort.source / "labelsTr" / "CHUM_001.nii.gz") in error


@pytest.mark.parametrize(("ending", "kind"), [("__CT", "CTs"), ("__PT", "PETs")])
def test_two_scans_of_a_folder_that_differ_are_never_chosen_between(
    native: Path, publish: Publish, ending: str, kind: str
) -> None:
    cohort = publish("hecktor2022")
    second = cohort.source / "imagesTr" / f"chum_001{ending}.nii.gz"
    second.write_bytes((native / f"phantom003{ending}.nii.gz").read_bytes())
    assert cohort.convert() == 1
    assert f"CHUM-001: there are {kind} that differ: " in cohort.error()


def test_copies_that_are_packed_differently_do_not_differ(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    images = cohort.source / "imagesTr"
    for file in (images / "CHUM-001__CT.nii.gz", cohort.source / "labelsTr" / "CHUM_001.nii.gz"):
        sitk.WriteImage(sitk.ReadImage(str(file)), str(file.with_name(file.name.removesuffix(".gz"))))
    assert cohort.convert() == 0


def test_a_name_that_files_cannot_have_costs_only_its_patient(publish: Publish) -> None:
    cohort = publish("hecktor2021")
    for file in (cohort.source / "hecktor_nii").glob("CHUS003*"):
        file.rename(file.with_name(file.name.replace("CHUS003", "CHUS 003 (1)")))
    assert cohort.convert() == 1
    assert "CHUS 003 (1): no file can have such a name; rename it" in cohort.error()
    assert len(list((cohort.folder / "labelsTr").iterdir())) == 2


def test_a_name_in_two_spellings_that_are_more_than_spellings_is_an_error(
    native: Path, publish: Publish
) -> None:
    cohort = publish("hecktor2026")
    layouts.copy_patient(native, 2, *[cohort.source / f"CHUM001__{kind}.nii.gz" for kind in ("CT", "PT")])
    assert cohort.convert() == 2
    assert "the same but for punctuation: CHUM-001 and CHUM001" in cohort.error()


def test_a_raw_folder_below_the_source_is_not_taken_for_the_cohort(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    below = Published(cohort.layout, cohort.source, cohort.source / "nnUNet_raw", cohort.capsys)
    assert below.convert() == 0
    written = sorted(below.raw.rglob("*"))
    assert below.convert() == 0
    assert sorted(below.raw.rglob("*")) == written


def test_folders_that_are_links_are_followed_once(publish: Publish, tmp_path: Path) -> None:
    cohort = publish("hecktor2026")
    source = tmp_path / "links"
    source.mkdir()
    for path in cohort.source.iterdir():
        (source / path.name).symlink_to(path)
    (cohort.source / "CHUM-001" / "back").symlink_to(cohort.source)
    assert cohort.convert(source=source) == 0
    assert len(list((cohort.folder / "labelsTr").iterdir())) == 2


def test_a_source_that_is_something_else_is_an_error(publish: Publish, tmp_path: Path) -> None:
    cohort = publish("hecktor2021")
    sarcomas = Published("ibsi_sarcoma", cohort.source, cohort.raw, cohort.capsys)
    assert sarcomas.convert() == 2
    assert "no file such as PATIENT/ct_image.nii.gz or PATIENT/pet_image.nii.gz" in cohort.error()
    assert cohort.convert(source=tmp_path / "nowhere") == 2
    assert "nowhere does not exist." in cohort.error()


def test_images_of_no_pattern_are_counted_and_named_by_kind(native: Path, publish: Publish) -> None:
    cohort = publish("hecktor2025")
    task, outside = cohort.source / "Task 2", cohort.source / "Task 1" / "USZ-009.nii.gz"
    layouts.copy_patient(native, 3, task / "MDA-003" / "MDA-003__RTDOSE.nii.gz", outside)
    (task / "MDA-003" / "notes.txt").touch()
    assert cohort.convert() == 0
    sentence = (
        "4 image(s) are neither CT, PET nor a patient's mask, and not used: USZ-009.nii.gz, "
        "CHUM-001__CTPlanning.nii.gz, CHUM-001__RTDOSE.nii.gz and 1 alike"
    )
    assert f"WARNING: {sentence}\n" in cohort.error()
    assert sentence in json.loads((cohort.folder / "conversion_log.json").read_text())["warnings"]


@pytest.mark.parametrize("layout", ["hecktor2021", "hecktor2022", "hecktor2026", "ibsi_sarcoma"])
def test_where_every_image_is_used_nothing_is_named(publish: Publish, layout: str) -> None:
    """The sarcomas have a mask on each grid, of which one is used."""
    cohort = publish(layout)
    assert cohort.convert() == 0
    assert "not used" not in cohort.error()
