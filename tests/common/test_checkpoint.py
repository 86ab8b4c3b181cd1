"""The reader of checkpoints: plain data, or one sentence that names the file."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from nnunetv2_adamss.common.checkpoint import WEIGHTS, are_weights, read_checkpoint
from tests.foreign_code import Payload

KINDS: Mapping[str, Any] = {
    WEIGHTS: are_weights,
    "current_epoch": int,
    "init_args": Mapping,
    "init_args.plans": dict,
    "init_args.configuration": str,
}


def whole() -> dict[str, Any]:
    weights = {"layer": torch.arange(6.0)}
    return {WEIGHTS: weights, "current_epoch": 3, "init_args": {"plans": {}, "configuration": "2d"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save(whole(), tmp_path / "checkpoint.pth")
    return tmp_path / "checkpoint.pth"


@pytest.mark.parametrize("mapped", [False, True])
def test_what_was_saved_is_read(file: Path, mapped: bool) -> None:
    found = read_checkpoint(file, KINDS, mapped=mapped)
    assert found["init_args"] == {"plans": {}, "configuration": "2d"}
    assert found[WEIGHTS]["layer"].tolist() == [0, 1, 2, 3, 4, 5]


def random_bytes() -> bytes:
    return torch.randint(256, (5000,), generator=torch.Generator().manual_seed(0)).byte().numpy().tobytes()


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a text",
        b"\n" * 100,
        random_bytes(),
        pickle.dumps({"a": 1}),
        pickle.dumps([1, 2]),
        b"\x80\x02" + b"(" * 100_000,
        b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"PK\x03\x04" + random_bytes(),
    ],
    ids=["empty", "text", "lines", "random", "pickle", "list", "marks", "deep", "zip"],
)
def test_other_content_is_one_sentence(file: Path, content: bytes, mapped: bool) -> None:
    file.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"checkpoint.pth is not a checkpoint that .* wrote, or it is dam"
    ) as said:
        read_checkpoint(file, KINDS, mapped=mapped)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="or it is damaged: PyTorch cannot read it"):
        read_checkpoint(file, KINDS)


@pytest.mark.parametrize("mapped", [False, True])
def test_code_is_not_run(file: Path, tmp_path: Path, mapped: bool) -> None:
    torch.save({**whole(), "more": Payload(tmp_path / "marker")}, file)
    with pytest.raises(ValueError, match="it holds more than data, such as code, which is not run"):
        read_checkpoint(file, KINDS, mapped=mapped)
    assert not (tmp_path / "marker").exists()


def test_what_lacks_or_is_of_another_kind_is_named(file: Path) -> None:
    torch.save({WEIGHTS: {"layer": [1, 2]}, "init_args": {"plans": [], "configuration": "2d"}}, file)
    with pytest.raises(ValueError, match=r"not usable: network_weights, current_epoch, init_args.plans\)\.$"):
        read_checkpoint(file, KINDS)
    torch.save({**whole(), "init_args": ["plans"]}, file)
    with pytest.raises(ValueError, match=r"not usable: init_args\)\.$"):
        read_checkpoint(file, KINDS)
    torch.save([whole()], file)
    with pytest.raises(ValueError, match="it holds a list, not a dictionary"):
        read_checkpoint(file, KINDS)


def test_want_of_memory_and_depth_are_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MemoryError, RecursionError):

        def fail(*args: object, error: type[Exception] = error, **kwargs: object) -> None:
            raise error

        monkeypatch.setattr(torch, "load", fail)
        with pytest.raises(ValueError, match=rf"does not fit into memory \({error.__name__}\)"):
            read_checkpoint(file, KINDS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no checkpoint .*nowhere.pth"):
        read_checkpoint(tmp_path / "nowhere.pth", KINDS)
