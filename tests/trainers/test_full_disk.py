"""A checkpoint that does not fit on the disk is named, and the former one stays."""

from pathlib import Path

import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer


class _Logger:
    def get_checkpoint(self) -> dict[str, list[float]]:
        return {}

    def load_checkpoint(self, content: dict[str, list[float]]) -> None:
        pass


def test_a_checkpoint_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = object.__new__(AdaMSSTrainer)
    trainer.logger, trainer.local_rank, trainer.disable_checkpointing = _Logger(), 0, False
    file = tmp_path / "checkpoint_best.pth"
    monkeypatch.setattr(nnUNetTrainer, "save_checkpoint", lambda self, name: torch.save({"epoch": 1}, name))
    trainer.save_checkpoint(str(file))

    def on_full_disk(self: nnUNetTrainer, name: str) -> None:
        Path(name).write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")

    monkeypatch.setattr(nnUNetTrainer, "save_checkpoint", on_full_disk)
    with pytest.raises(OSError, match=r"checkpoint_best\.pth cannot be written \(is the disk full\?"):
        trainer.save_checkpoint(str(file))
    assert list(tmp_path.iterdir()) == [file] and torch.load(file, weights_only=True) == {"epoch": 1}
