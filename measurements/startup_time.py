"""Time that the start-up file adds to every start of Python: two equal environments, one with it, in turns.

python measurements/startup_time.py
"""

import subprocess
import sysconfig
import tempfile
import venv
from pathlib import Path
from statistics import median
from time import perf_counter

ROUNDS = 200


def main() -> None:
    startup_file = Path(sysconfig.get_path("purelib")) / "nnunetv2_adamss.pth"
    with tempfile.TemporaryDirectory() as folder:
        with_file, without = (make_environment(Path(folder, name)) for name in ("with", "without"))
        site_packages = next(Path(folder, "with").rglob("site-packages"))
        (site_packages / startup_file.name).write_text(startup_file.read_text())
        seconds: dict[Path, list[float]] = {with_file: [], without: []}
        for _ in range(ROUNDS):
            for python, taken in seconds.items():
                taken.append(start(python))
    with_ms, without_ms = (1000 * median(seconds[python]) for python in (with_file, without))
    print(f"python -c pass, median of {ROUNDS} interleaved starts: {with_ms:.2f} ms with the start-up file,")
    print(f"{without_ms:.2f} ms without, difference {with_ms - without_ms:.2f} ms")


def make_environment(folder: Path) -> Path:
    venv.create(folder, with_pip=False)
    return folder / "bin" / "python"


def start(python: Path) -> float:
    begin = perf_counter()
    subprocess.run([str(python), "-c", "pass"], check=True)
    return perf_counter() - begin


if __name__ == "__main__":
    main()
