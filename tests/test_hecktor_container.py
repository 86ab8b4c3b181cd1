"""The folder of HECKTOR's container: its command is one that the parser takes, and its scripts are sound."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnunetv2_adamss.cli.hecktor_inference import build_parser

FOLDER = Path(__file__).parents[1] / "hecktor_container"
SCRIPTS = sorted(FOLDER.glob("*.sh"))


def words(instruction: str) -> list[str]:
    """The words of an instruction of the Dockerfile that is written as a list."""
    (found,) = re.findall(rf"^{instruction} (\[.*\])$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    return list(json.loads(found))


def test_the_command_of_the_image_is_complete_and_reads_where_the_platform_puts_the_model() -> None:
    command, *options = words("ENTRYPOINT")
    parser = build_parser()
    args = parser.parse_args([*options, *words("CMD")])
    assert command == parser.prog
    assert (args.input, args.output) == (Path("/input"), Path("/output"))
    packed = {str(args.model), str(args.conversion_log)}
    assert packed == {f"/opt/ml/model/{name}" for name in ("model.zip", "conversion_log.json")}
    for name in packed:
        assert Path(name).name in (FOLDER / "save.sh").read_text()


def test_the_image_does_not_run_as_root() -> None:
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    assert lines.index("USER user") < next(i for i, line in enumerate(lines) if line.startswith("ENTRYPOINT"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_scripts_are_executable_and_sound(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    subprocess.run(["shellcheck", str(script)], check=True)


def test_the_scripts_call_docker_as_they_should(tmp_path: Path) -> None:
    """By a program that writes down how it is called, and the output of a patient where the image would."""
    docker, model = tmp_path / "docker", tmp_path / "model"
    docker.write_text(f'#!/usr/bin/env bash\necho "$*" >> {tmp_path}/calls\n')
    docker.chmod(0o755)
    model.mkdir()
    (tmp_path / "input").mkdir()
    environment = {
        "PATH": "/usr/bin:/bin", "DOCKER": str(docker), "MODEL": str(model), "INPUT": str(tmp_path / "input"),
    }  # fmt: skip
    subprocess.run([FOLDER / "build.sh", "mine"], env=environment, check=True)
    subprocess.run([FOLDER / "test.sh", "mine", "--rfs_output", "risk"], env=environment, check=True)
    base, image, run, check, clean = (tmp_path / "calls").read_text().splitlines()
    assert base.startswith("build ") and base.endswith(str(FOLDER.parent)) and " -t mine-base " in base
    assert image.startswith("build ") and "ADAMSS=mine-base" in image and " -t mine " in image
    assert run.endswith("mine --rfs_output risk")
    assert {"--network none", "--read-only", f"{model}:/opt/ml/model:ro"} <= set(
        re.findall(r"--network none|--read-only|\S+:/opt/ml/model:ro", run)
    )
    assert "--entrypoint python3" in check
    user = re.compile(r"--user \d+:\d+")
    assert "--entrypoint find" in clean and user.findall(clean) == user.findall(run)
    refused = subprocess.run(
        [FOLDER / "save.sh", "mine"], env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert f"There is no {model}/model.zip" in refused.stderr
