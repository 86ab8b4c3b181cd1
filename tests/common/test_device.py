"""Devices by name: those that are there, and a sentence for all others."""

from typing import Any

import pytest
import torch

from nnunetv2_adamss.common.device import torch_device


def use_gpus(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: number > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: number)


@pytest.mark.parametrize("name", ["cpu", torch.device("cpu"), "cpu:0"])
def test_the_cpu_is_always_there(name: Any) -> None:
    assert torch_device(name, "predict").type == "cpu"


@pytest.mark.parametrize("name", ["tpu", "gpu", "", "cuda:first", "meta", "vulkan"])
def test_a_device_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"The device '{name}' is not supported, only cuda, cpu, mps"):
        torch_device(name, "predict")


def test_without_a_gpu_the_sentence_helps_in_commands_and_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    use_gpus(monkeypatch, 0)
    sentence = r"PyTorch finds no GPU; add -device cpu to predict without one \(in Python, device='cpu'\)\."
    for name in ("cuda", "cuda:1"):
        with pytest.raises(ValueError, match=sentence):
            torch_device(name, "predict")


def test_a_gpu_beyond_the_last_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use_gpus(monkeypatch, 2)
    assert [torch_device(name, "predict").index for name in ("cuda", "cuda:1")] == [None, 1]
    with pytest.raises(ValueError, match=r"There is no device 'cuda:2', since PyTorch finds 2 GPU\(s\)"):
        torch_device("cuda:2", "predict")
