"""Claims: one process only, whoever was first, and nobody for long after its process is gone."""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import time

import pytest

from nnunetv2_adamss.benchmark.claims import STALE_SECONDS, Claims


def make_old(file: Path) -> None:
    long_ago = time() - STALE_SECONDS - 1
    os.utime(file, (long_ago, long_ago))


def test_a_step_is_claimed_once(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    claim = claims.take("step")
    assert claim is not None and claim.renew()
    assert claims.take("step") is None
    assert claims.is_taken("step") and not claims.is_taken("step_1")
    assert claims.take("step_1") is not None
    claim.release()
    assert not claims.is_taken("step")
    assert claims.take("step") is not None


def test_of_many_that_want_a_stale_claim_one_gets_it(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    first = claims.take("step")
    assert first is not None
    make_old(first.file)
    barrier = Barrier(16)

    def take(_: int) -> bool:
        barrier.wait()
        return claims.take("step") is not None

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(take, range(16))) == 1
    # Whoever slept so long must not go on.
    assert not first.renew()


def test_a_claim_that_is_renewed_stays(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    claim = claims.take("step")
    assert claim is not None
    make_old(claim.file)
    assert not claims.is_taken("step")
    assert claim.renew()
    assert claims.is_taken("step")


def test_a_successor_takes_the_former_claims_away_with_its_own(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    former = claims.take("step")
    assert former is not None
    make_old(former.file)
    successor = claims.take("step")
    assert successor is not None
    successor.release()
    former.release()
    assert list(tmp_path.iterdir()) == []


def test_the_claim_of_a_process_that_is_gone_is_free_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nnunetv2_adamss.benchmark.claims import Claims; "
        "Claims(Path(sys.argv[1])).take('step')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert [file.name for file in tmp_path.iterdir()] == ["step.0"]
    assert Claims(tmp_path).take("step") is not None


def test_the_claim_of_a_process_elsewhere_is_kept_until_it_is_stale(tmp_path: Path) -> None:
    file = tmp_path / "step.0"
    file.write_text("another_machine pid:[1] 999999999")
    claims = Claims(tmp_path)
    assert claims.take("step") is None
    make_old(file)
    assert claims.take("step") is not None


def test_machines_of_one_name_are_told_apart(tmp_path: Path) -> None:
    if not Path("/proc/sys/kernel/random/boot_id").is_file():
        pytest.skip("only Linux tells them apart")
    claims = Claims(tmp_path)
    claim = claims.take("step")
    assert claim is not None
    text = claim.file.read_text()
    boot_id = text.split()[0]
    assert len(boot_id) == 36 and platform.node() not in text
    # As a process of another machine writes it, whose number nobody has here.
    claim.file.write_text(f"{text.rpartition(' ')[0].replace(boot_id, boot_id[::-1])} 999999999")
    assert claims.is_taken("step")
    claim.file.write_text(f"{text.rpartition(' ')[0]} 999999999")
    assert not claims.is_taken("step")


def test_a_claim_that_is_just_being_made_counts(tmp_path: Path) -> None:
    (tmp_path / "step.0").touch()
    assert Claims(tmp_path).is_taken("step")


def test_a_clock_that_is_wrong_makes_no_claim_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = Claims(tmp_path)
    assert claims.take("step") is not None
    monkeypatch.setattr("nnunetv2_adamss.benchmark.claims.time", lambda: time() + 10 * STALE_SECONDS)
    assert Claims(tmp_path).is_taken("step")
