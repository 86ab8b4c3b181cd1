"""Preprocessed cases: as nnU-Net reads them, or one sentence that names the file."""

import pickle
import shutil
from pathlib import Path

import blosc2
import numpy as np
import pytest
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2, nnUNetDatasetNumpy

from nnunetv2_adamss.survival.foreign_files.case_properties import read_properties
from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import cases_class, check_cases, open_cases
from tests.foreign_code import Payload, plant_in_pickle

PROPERTIES = {
    "spacing": [np.float64(1.5), 2.0],
    "shape_before_cropping": (4, 5, 6),
    "class_locations": {1: np.arange(8).reshape(2, 4), (1, 2): np.zeros((0, 4), dtype=np.int64), 3: []},
    "nibabel_stuff": {"original_affine": np.eye(4)},
    "sitk_stuff": None,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    image, mask = rng.normal(size=(2, 8, 8, 8)).astype(np.float32), np.ones((1, 8, 8, 8), dtype=np.int8)
    for case_id in ("a", "b"):
        sizes = {
            "chunks": image.shape,
            "blocks": image.shape,
            "chunks_seg": mask.shape,
            "blocks_seg": mask.shape,
        }
        nnUNetDatasetBlosc2.save_case(image, mask, PROPERTIES, str(tmp_path / case_id), **sizes)
    return tmp_path


def test_cases_are_those_of_nnunet(folder: Path) -> None:
    found, expected = open_cases(folder).load_case("a"), nnUNetDatasetBlosc2(str(folder)).load_case("a")
    for own, nnunets in zip(found[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(own[:], nnunets[:])
    assert found[3].keys() == expected[3].keys()
    assert open_cases(folder, ["b"]).identifiers == ["b"]
    check_cases(open_cases(folder))


def test_cases_of_older_versions_of_nnunet_are_read(tmp_path: Path) -> None:
    image, mask = np.ones((1, 3, 3, 3), dtype=np.float32), np.zeros((1, 3, 3, 3), dtype=np.int8)
    nnUNetDatasetNumpy.save_case(image, mask, PROPERTIES, str(tmp_path / "a"))
    np.testing.assert_array_equal(open_cases(tmp_path).load_case("a")[0], image)
    (tmp_path / "a.npz").write_bytes(b"none")
    with pytest.raises(ValueError, match="The preprocessed case a in .* is damaged"):
        open_cases(tmp_path).load_case("a")


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_properties_of_every_protocol_are_read(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(PROPERTIES, protocol=protocol))
    found = read_properties(tmp_path / "a.pkl")
    np.testing.assert_array_equal(found["class_locations"][1], PROPERTIES["class_locations"][1])  # type: ignore[index]
    assert found["spacing"] == [1.5, 2.0]


def test_properties_that_numpy_1_wrote_are_read(tmp_path: Path) -> None:
    content = pickle.dumps(PROPERTIES, protocol=2).replace(b"numpy._core", b"numpy.core")
    (tmp_path / "a.pkl").write_bytes(content)
    with (
        pytest.warns(DeprecationWarning, match="numpy.core")
        if b"_codecs" not in content
        else pytest.raises(ValueError, match="_codecs")
    ):
        read_properties(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    "content",
    [b"", b"text", pickle.dumps([1]), pickle.dumps(PROPERTIES)[:-20], b"(" * 100_000, bytes(range(256))],
    ids=["empty", "text", "list", "cut", "marks", "random"],
)
def test_damaged_properties_are_one_sentence(folder: Path, content: bytes) -> None:
    (folder / "a.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=r"a.pkl (is damaged or holds more than|holds a list)"):
        open_cases(folder).load_case("a")


def test_code_in_properties_is_not_run(folder: Path) -> None:
    marker = folder / "marker"
    plant_in_pickle(folder / "a.pkl", marker)
    with pytest.raises(
        ValueError, match=r"a.pkl is damaged or holds more than numbers and text.*posix.mkdir"
    ):
        open_cases(folder).load_case("a")
    array = np.array([Payload(marker)], dtype=object)
    (folder / "a.pkl").write_bytes(pickle.dumps({"locations": array}))
    with pytest.raises(ValueError, match="holds more than numbers and text"):
        open_cases(folder).load_case("a")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["a.b2nd", "a_seg.b2nd"])
def test_damaged_arrays_are_one_sentence(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    noise = np.random.default_rng(0).bytes(len(whole))
    for content in (b"", b"text", noise, whole[: len(whole) // 2], whole[:30], whole[:60] + noise[60:]):
        (folder / name).write_bytes(content)
        with pytest.raises(
            ValueError, match=r"a_seg.b2nd|a.b2nd (is|holds)|preprocessed case a in .* is damaged"
        ):
            open_cases(folder).load_case("a")


def test_objects_in_the_place_of_an_array_are_not_opened(folder: Path) -> None:
    # What blosc2's containers of objects have instead of an array's metalayer.
    meta = {"vlarray": {"version": 1}}
    blosc2.SChunk(chunksize=8, data=bytes(8), urlpath=str(folder / "o.b2nd"), contiguous=True, meta=meta)
    (folder / "o.b2nd").replace(folder / "a.b2nd")
    with pytest.raises(ValueError, match=r"a.b2nd holds something else than an array of numbers"):
        open_cases(folder).load_case("a")


def test_an_expression_in_the_place_of_an_array_is_not_computed(folder: Path) -> None:
    operand = blosc2.asarray(np.ones(8), urlpath=str(folder / "b.b2nd"), mode="w")
    (folder / "a.b2nd").unlink()
    (operand + 1).save(urlpath=str(folder / "a.b2nd"))
    with pytest.raises(ValueError, match=r"a.b2nd holds something else than an array of numbers"):
        open_cases(folder).load_case("a")


def test_all_cases_that_cannot_be_used_are_named_together(folder: Path) -> None:
    (folder / "a.pkl").write_bytes(b"")
    (folder / "b_seg.b2nd").unlink()
    with pytest.raises(ValueError, match=r"^2 preprocessed case\(s\) cannot be used: .*a.pkl .*b_seg.b2nd"):
        check_cases(open_cases(folder))


def test_where_nothing_is_preprocessed_another_plan_may_have_been_meant(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="no preprocessed cases in .*nnUNetPlans_3d_fullres.* choose with -p the plan"
    ):
        cases_class(tmp_path / "nnUNetPlans_3d_fullres")


def test_a_folder_of_other_files_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").touch()
    with pytest.raises(ValueError, match="holds other files than nnU-Net's preprocessed cases"):
        cases_class(folder)
    other = tmp_path / "other"
    other.mkdir()
    shutil.move(folder / "notes.txt", other)
    with pytest.raises(ValueError, match="holds other files than nnU-Net's preprocessed cases"):
        open_cases(other)
