import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from nnunetv2_adamss.common.files import (
    create_json,
    put_in_place,
    read_json,
    removed_on_failure,
    replace_atomically,
    write_atomically,
    write_json,
)
from nnunetv2_adamss.common.nifti import is_whole, put_image_in_place
from nnunetv2_adamss.datasets.conversion.write_image import save_atomically
from tests.misshapen import MISSHAPEN

_READABLE = ("null", "a list", "an object without entries", "a number", "a text", "a list of null", "NaN")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be made here")
    yield folder
    # Lazily: SimpleITK keeps files open that it could not write.
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", MISSHAPEN)
def test_whatever_stands_in_a_file_is_read_or_named_in_one_sentence(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "some.json"
    file.write_bytes(MISSHAPEN[kind](b'{"fold": 1}'))
    if kind in _READABLE:
        read_json(file)
        return
    with pytest.raises(ValueError, match=r"some\.json cannot be read as JSON \(.+\)\.$"):
        read_json(file)


def test_numbers_up_to_the_largest_float_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f"[{10**307}, 1e300, -2]")
    assert read_json(tmp_path / "a.json") == [10**307, 1e300, -2]


def test_the_place_of_a_number_that_is_not_finite_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"a\.json cannot be written: 'folds\.1\.risk' is not a finite number"
    ):
        write_json(tmp_path / "a.json", {"n": 1, "folds": [{"risk": 1.0}, {"risk": float("nan")}]})
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_named_by_the_file_and_leaves_the_former_one(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_json(file, [1])

    def write(unfinished: Path) -> None:
        unfinished.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left on device: .*a.json'"):
        replace_atomically(file, write)
    assert list(tmp_path.iterdir()) == [file] and read_json(file) == [1]


def test_another_files_error_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"source\.txt"):
        replace_atomically(tmp_path / "a.txt", lambda unfinished: (tmp_path / "source.txt").read_text())


def test_what_was_begun_is_removed_whatever_stops_it(tmp_path: Path) -> None:
    unfinished = tmp_path / "a.unfinished"
    with pytest.raises(KeyboardInterrupt), removed_on_failure(tmp_path / "a", unfinished):
        unfinished.write_text("half")
        raise KeyboardInterrupt
    assert not unfinished.exists()


def test_what_is_put_in_place_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: done.append("sync"))
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("rename"), replace(*names)))
    (tmp_path / "new").write_text("x")
    put_in_place(tmp_path / "new", tmp_path / "name")
    assert done == ["sync", "rename", "sync"] and (tmp_path / "name").read_text() == "x"


def test_text_checkpoints_and_images_on_a_disk_that_is_full(tiny_disk: Path) -> None:
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(40, 40, 40)))
    writers = {
        "a.json": lambda file: write_atomically(file, "x" * 100_000),
        "a.pth": lambda file: replace_atomically(file, lambda new: torch.save(torch.zeros(100_000), new)),
        "a.nii.gz": lambda file: save_atomically(noise, file),
        "a.nii": lambda file: save_atomically(noise, file),
        "a.mha": lambda file: save_atomically(noise, file),
    }
    for name, write in writers.items():
        with pytest.raises(OSError, match=name):
            write(tiny_disk / name)
        assert not list(tiny_disk.iterdir()), name


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_an_image_that_was_cut_short_does_not_get_its_name(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"new{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(1000, dtype=np.int16).reshape(10, 10, 10)), str(file))
    assert is_whole(file)
    for length in (-1, 100, 0):
        whole = file.read_bytes()
        file.write_bytes(whole[:length])
        assert not is_whole(file)
        with pytest.raises(OSError, match=f"mask{ending} cannot be written: the file was cut short"):
            put_image_in_place(file, tmp_path / f"mask{ending}")
        file.write_bytes(whole)
    put_image_in_place(file, tmp_path / f"mask{ending}")
    assert [path.name for path in tmp_path.iterdir()] == [f"mask{ending}"]


@pytest.mark.parametrize("has_links", [True, False])
def test_the_first_to_create_a_file_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "new" / "a.json"
    assert create_json(file, {"n": 1})
    assert not create_json(file, {"n": 2})
    assert read_json(file) == {"n": 1} and list(file.parent.iterdir()) == [file]
    with pytest.raises(ValueError, match=r"b\.json cannot be written: 'n' is not a finite number"):
        create_json(file.with_name("b.json"), {"n": float("nan")})
    assert list(file.parent.iterdir()) == [file]
