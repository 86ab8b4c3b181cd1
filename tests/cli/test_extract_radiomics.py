"""``adamss_extract_radiomics`` as a user types it."""

from pathlib import Path

import pandas as pd
import pytest

from nnunetv2_adamss.cli.extract_radiomics import main
from tests.nnunet_project import NnunetProject
from tests.radiomics.phantoms import ball, write_case, write_dataset_json
from tests.survival_project import DATASET, N_CASES

FEW_FEATURES = "setting: {binWidth: 1}\nfeatureClass: {firstorder: [Mean], shape: [MeshVolume]}\n"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, ...]:
    """Arguments for three cases, and a YAML of few features."""
    for i in range(3):
        write_case(tmp_path, f"case_{i}", ball((12, 12, 12), (6, 6, 6), 3), seed=i)
    (tmp_path / "few.yaml").write_text(FEW_FEATURES)
    settings = ("--settings", str(tmp_path / "few.yaml"), "-np", "1")
    return (
        "-i",
        str(tmp_path / "images"),
        "--masks",
        str(tmp_path / "masks"),
        "-o",
        str(tmp_path / "out.csv"),
        *settings,
    )


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 2
    return capsys.readouterr().err.strip()


def test_any_two_folders_become_a_table(
    folders: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset_json(tmp_path)
    assert main([*folders, "--per_label", "--per_lesion", "--shell_mm", "3"]) == 0
    captured = capsys.readouterr()
    assert f"of 3 cases: {tmp_path / 'out.csv'}" in captured.out
    columns = pd.read_csv(tmp_path / "out.csv", index_col="case_id").columns
    assert {"shape_MeshVolume", "PET_original_firstorder_Mean", "label.primary.CT_original_firstorder_Mean",
            "lesions.count", "shell.PET_original_firstorder_Mean"} <= set(columns)  # fmt: skip
    # The phantoms have no node; the label that is to be ignored is none.
    assert "WARNING: case_0: label.node: the mask is empty" in captured.err
    assert not [column for column in columns if "ignore" in column]
    assert main([*folders, "--per_label", "--per_lesion", "--shell_mm", "3"]) == 0
    assert "3 cases (3 of them from before)" in capsys.readouterr().out


def test_a_folder_without_dataset_json_needs_the_channels_names(
    folders: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no dataset.json beside" in refusal(capsys, *folders)
    assert not (tmp_path / "out.csv").exists()
    assert main([*folders, "--channels", "CT", "FDG PET"]) == 0
    assert "FDG_PET_original_firstorder_Mean" in (tmp_path / "out.csv").read_text()


def test_a_broken_case_is_named_at_the_end_and_the_others_are_written(
    folders: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images" / "case_1_0001.nii.gz").write_bytes(b"")
    (tmp_path / "masks" / "case_2.nii.gz").unlink()
    said = refusal(capsys, *folders, "--channels", "CT", "PET").splitlines()
    assert said[0] == "adamss_extract_radiomics: 2 case(s) have no features:"
    assert "case_1: " in said[1]
    assert "cannot be read" in said[1]
    assert "case_2: missing file(s): " in said[2]
    assert pd.read_csv(tmp_path / "out.csv")["case_id"].tolist() == ["case_0"]


def test_settings_that_do_not_serve_are_said_and_nothing_is_written(
    folders: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.yaml").write_text("featureClass: {glcm: [Contrst]}")
    assert "no glcm feature 'Contrst' (did you mean Contrast?)" in refusal(
        capsys, *folders, "--channels", "CT", "PET"
    )
    (tmp_path / "few.yaml").write_text("featureClass: {glcm: [Contrast]}")
    assert "does not say how to discretise CT, PET" in refusal(capsys, *folders, "--channels", "CT", "PET")
    assert "per label need the labels' names" in refusal(
        capsys, *folders, "--channels", "C", "P", "--per_label"
    )
    (tmp_path / "few.yaml").write_text(FEW_FEATURES)
    assert "There is no folder" in refusal(capsys, "-i", "nowhere", *folders[2:], "--channels", "CT", "PET")
    assert "no files that end in .nrrd" in refusal(
        capsys, *folders, "--channels", "CT", "PET", "--file_ending", ".nrrd"
    )
    (tmp_path / "dataset.json").write_text("{")
    assert "dataset.json cannot be read as JSON" in refusal(capsys, *folders)
    assert not (tmp_path / "out.csv").exists()


def test_a_fold_of_a_data_set_is_extracted(
    folders: tuple[str, ...],
    survival_project: NnunetProject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    survival_project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(tmp_path / "results"))
    fold = ("902", "3d_fullres", "0", "--settings", str(tmp_path / "few.yaml"), "-np", "1")
    assert "There is no Stage-I checkpoint" in refusal(capsys, *fold)
    assert "is neither the name nor the id" in refusal(capsys, "777", *fold[1:])
    masks = survival_project.raw / DATASET / "labelsTr"
    assert main([*fold, "--masks", str(masks)]) == 0
    assert f"3 features of {N_CASES} cases" in capsys.readouterr().out
    (table,) = (tmp_path / "results").rglob("radiomics_folder_labelsTr.csv")
    assert table.parent.name == "fold_0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give DATASET CONFIGURATION FOLD, or -i, --masks and -o"),
        (("510", "3d_fullres"), "belong together"),
        (("510", "3d_fullres", "first"), "the fold must be a number or all, not first"),
        (("510", "3d_fullres", "0", "-o", "x.csv"), "-o: not with DATASET"),
        (("510", "3d_fullres", "0", "--masks", "m", "--mask_source", "predicted"), "exclude each other"),
        (("-i", "a", "--masks", "b"), "-i, --masks and -o"),
        (("-i", "a", "--masks", "b", "-o", "c.csv", "-p", "plans"), "-p: only with DATASET"),
        (
            ("-i", "a", "--masks", "b", "-o", "c.csv", "--channels", "CT", "--dataset_json", "d"),
            "exclude each other",
        ),
        (("-i", "a", "--masks", "b", "-o", "c.csv", "-np", "0"), "-np is 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(list(arguments))
    assert sentence in capsys.readouterr().err
