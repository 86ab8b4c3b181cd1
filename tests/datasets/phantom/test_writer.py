"""The data set on disk: nnU-Net's layout, all or nothing, and the same bytes for the same seed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset, writer

CONFIG = PhantomCohortConfig(
    n_training=3, n_test=2, shape=(32, 32, 32), spacing_mm=(5.0, 5.0, 5.0), seed=11, separate_grids=True
)
TINY = replace(CONFIG, n_training=2, n_test=0, separate_grids=False)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data set with native grids, for the tests that only read."""
    return write_phantom_dataset(CONFIG, tmp_path_factory.mktemp("raw"))


def files(folder: Path) -> dict[str, bytes]:
    """Relative path and content of every file."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def tumour_centre_mm(label: sitk.Image) -> np.ndarray:
    """Physical centre of label 1."""
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(label)
    return np.array(statistics.GetCentroid(1))


def test_the_layout_is_nnunets_with_the_survival_tables_beside_it(dataset: Path) -> None:
    assert dataset.name == "Dataset990_Phantom"
    names = set(files(dataset))
    for case, suffix in [("phantom000", "Tr"), ("phantom002", "Tr"), ("phantomtest001", "Ts")]:
        assert {
            f"images{suffix}/{case}_0000.nii.gz",
            f"images{suffix}/{case}_0001.nii.gz",
            f"labels{suffix}/{case}.nii.gz",
            f"native/{case}__CT.nii.gz",
            f"native/{case}__PT.nii.gz",
            f"native/{case}.nii.gz",
        } <= names
    assert len(names) == 5 * 6 + 6
    content = json.loads((dataset / "dataset.json").read_text())
    assert content["channel_names"] == {"0": "CT", "1": "PET"}
    assert content["labels"] == {"background": 0, "primary_tumour": 1, "lymph_nodes": 2}
    assert content["numTraining"] == 3 and content["file_ending"] == ".nii.gz"
    assert "SYNTHETIC" in content["description"]


def test_the_truth_holds_the_realised_volume_and_the_risk_of_every_case(dataset: Path) -> None:
    truth = pd.read_csv(dataset / "phantom_truth.csv").set_index("case_id")
    assert len(truth) == 5
    label = sitk.ReadImage(str(dataset / "labelsTr/phantom001.nii.gz"))
    volume_ml = (sitk.GetArrayFromImage(label) == 1).sum() * 0.125
    assert truth.loc["phantom001", "tumour_volume_ml"] == pytest.approx(volume_ml)
    summary = json.loads((dataset / "phantom.json").read_text())["summary"]
    assert summary["training"]["cases"] == 3 and summary["test"]["cases"] == 2
    assert pd.read_csv(dataset / "survival_test.csv")["case_id"].tolist() == [
        "phantomtest000",
        "phantomtest001",
    ]


def test_all_cases_share_one_field_of_view_that_ct_pet_and_label_agree_on(dataset: Path) -> None:
    paths = [*dataset.glob("images*/*"), *dataset.glob("labels*/*")]
    images = [sitk.ReadImage(str(path)) for path in paths]
    frames = {(i.GetSize(), i.GetOrigin(), i.GetSpacing(), i.GetDirection()) for i in images}
    assert len(frames) == 1
    assert images[0].TransformContinuousIndexToPhysicalPoint([15.5] * 3) == pytest.approx((10, -190, -620))


def test_native_grids_show_the_same_body_in_physical_coordinates(dataset: Path) -> None:
    def read(name: str) -> sitk.Image:
        return sitk.ReadImage(str(dataset / name))

    common, ct, pet = (
        read("labelsTr/phantom000.nii.gz"),
        read("native/phantom000.nii.gz"),
        read("native/phantom000__PT.nii.gz"),
    )
    assert len({common.GetOrigin(), ct.GetOrigin(), pet.GetOrigin()}) == 3
    assert ct.GetSpacing()[0] < common.GetSpacing()[0] < pet.GetSpacing()[0]
    np.testing.assert_allclose(tumour_centre_mm(ct), tumour_centre_mm(common), atol=1.5)
    for channel, native in (("0000", read("native/phantom000__CT.nii.gz")), ("0001", pet)):
        image = sitk.Cast(read(f"imagesTr/phantom000_{channel}.nii.gz"), sitk.sitkFloat32)
        moved = sitk.Resample(sitk.Cast(native, sitk.sitkFloat32), image, sitk.Transform(), sitk.sitkLinear)
        a, b = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(moved)
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95


def test_the_same_seed_gives_the_same_files_and_another_seed_other_images(tmp_path: Path) -> None:
    first = files(write_phantom_dataset(TINY, tmp_path / "a"))
    second = files(write_phantom_dataset(TINY, tmp_path / "b", num_processes=2))
    other = files(write_phantom_dataset(replace(TINY, seed=12), tmp_path / "c"))
    assert first == second
    assert first["imagesTr/phantom000_0001.nii.gz"] != other["imagesTr/phantom000_0001.nii.gz"]


def test_an_existing_data_set_is_kept_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    folder = write_phantom_dataset(TINY, tmp_path)
    before = files(folder)
    with pytest.raises(FileExistsError, match="exists; choose another id or name"):
        write_phantom_dataset(replace(TINY, seed=12), tmp_path)
    assert files(folder) == before
    write_phantom_dataset(replace(TINY, n_training=1), tmp_path, overwrite=True)
    assert not (folder / "labelsTr/phantom001.nii.gz").exists()


def test_a_folder_that_is_not_a_phantom_is_never_overwritten(tmp_path: Path) -> None:
    real = tmp_path / TINY.folder_name
    real.mkdir()
    with pytest.raises(FileExistsError, match="is not a phantom"):
        write_phantom_dataset(TINY, tmp_path, overwrite=True)


def test_an_id_taken_by_another_data_set_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "Dataset990_Hecktor").mkdir()
    with pytest.raises(FileExistsError, match=r"taken by .*Dataset990_Hecktor"):
        write_phantom_dataset(TINY, tmp_path, overwrite=True)


@pytest.mark.parametrize("exists_before", [False, True])
def test_an_interrupted_run_leaves_no_half_data_set(tmp_path: Path, exists_before: bool) -> None:
    before = files(write_phantom_dataset(TINY, tmp_path)) if exists_before else {}

    def stop(case_id: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_phantom_dataset(TINY, tmp_path, overwrite=True, on_case_written=stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == [TINY.folder_name] * exists_before
    assert files(tmp_path / TINY.folder_name) == before


def test_an_old_data_set_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(write_phantom_dataset(TINY, tmp_path))
    rename = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError("no permission")
        return rename(self, target)

    monkeypatch.setattr(writer.Path, "rename", fail_for_new)
    with pytest.raises(OSError, match="no permission"):
        write_phantom_dataset(TINY, tmp_path, overwrite=True)
    assert files(tmp_path / TINY.folder_name) == before


def test_no_process_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="num_processes is 0"):
        write_phantom_dataset(TINY, tmp_path, num_processes=0)
