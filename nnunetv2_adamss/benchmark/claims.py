"""Which process does which step, where several share a folder, perhaps on several machines.

A claim is an empty file that only one process can have made. Its maker touches it as long as it works; where that has
stopped, another process makes the next one, which outbids it. Nothing is renamed or removed that another process may be
about to look at, so no two processes can both think that a step is theirs.
"""

import os
import platform
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import time

from nnunetv2_adamss.common.files import write_atomically

HEARTBEAT_SECONDS = 30.0
STALE_SECONDS = 600.0


@dataclass(frozen=True)
class Claim:
    """That a step is being done by this process.

    Args:
        file: that says so.
    """

    file: Path

    def renew(self) -> bool:
        """Say that the step is still being done; False if another process took it over, as this one slept."""
        if _latest(self.file.parent, self.file.stem) != self.file:
            return False
        os.utime(self.file)
        return True

    def release(self) -> None:
        """Let others have it."""
        # The latest counts, so it goes last.
        for file in _claims(self.file.parent, self.file.stem):
            if _number(file) <= _number(self.file):
                file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Claims:
    """The claims in a folder.

    Args:
        folder: is made if need be.
    """

    folder: Path

    def take(self, name: str) -> Claim | None:
        """Claim a step; None if another process has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        latest = _latest(self.folder, name)
        if latest is not None and self._is_held(latest):
            return None
        file = self.folder / f"{name}.{0 if latest is None else _number(latest) + 1}"
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(f"{_machine()} {os.getpid()}")
        except FileExistsError:
            return None
        return Claim(file)

    def is_taken(self, name: str) -> bool:
        """Whether another process does it."""
        latest = _latest(self.folder, name)
        return latest is not None and self._is_held(latest)

    def now(self) -> float:
        """Seconds since the epoch by the clock that stamps the files, which may be another machine's."""
        return time() + self._clock_difference

    @cached_property
    def _clock_difference(self) -> float:
        probe = self.folder / f"clock_{platform.node()}_{os.getpid()}"
        try:
            write_atomically(probe, "")
        except OSError:  # whoever may only look has no claims to make
            return 0.0
        difference = probe.stat().st_mtime - time()
        probe.unlink()
        return difference

    def _is_held(self, file: Path) -> bool:
        try:
            age = self.now() - file.stat().st_mtime
            machine, _, process_id = file.read_text(encoding="utf-8", errors="replace").rpartition(" ")
        except FileNotFoundError:  # released at this moment
            return False
        # Without a wait where it is known that the process is gone. A file that is just being made is empty yet.
        is_gone = machine == _machine() and process_id.isdecimal() and not _is_running(int(process_id))
        return age < STALE_SECONDS and not is_gone


def _machine() -> str:
    """Where process numbers mean the same: containers share a machine, and clones of a machine its name."""
    boot, processes = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    machine = boot.read_text(encoding="ascii").strip() if boot.is_file() else platform.node()
    return f"{machine} {os.readlink(processes) if processes.is_symlink() else ''}"


def _claims(folder: Path, name: str) -> list[Path]:
    """The claims of a step, the first one first."""
    found = [file for file in folder.glob(f"{name}.*") if re.fullmatch(rf"{name}\.\d+", file.name)]
    return sorted(found, key=_number)


def _latest(folder: Path, name: str) -> Path | None:
    return next(reversed(_claims(folder, name)), None)


def _number(file: Path) -> int:
    return int(file.suffix[1:])


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
