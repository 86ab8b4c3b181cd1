"""What a release consists of: one version, one address, an sdist with everything, and files that other sites read."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
ADDRESS: str = PROJECT["urls"]["Repository"]


def read_yaml(name: str) -> Any:
    return yaml.safe_load((REPOSITORY / name).read_text())


def kept_files() -> list[str]:
    """Files that git keeps, or will once they are added."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("only a checkout knows which files belong to it")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=REPOSITORY, text=True).splitlines()
    return [name for name in names if (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Text of ``PKG-INFO`` and names of all files, of an sdist that is built from a copy with one more picture."""
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "source"
    for name in kept_files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, source / name)
    with (source / "README.md").open("a") as readme:
        readme.write("\n![a\npicture](docs/picture.png)\n")
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "no files found matching" not in done.stdout
    (file,) = folder.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (root,) = (folder / "unpacked").iterdir()
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return {"files": "\n".join(files), "metadata": (root / "PKG-INFO").read_text()}


@pytest.fixture(scope="module")
def metadata(sdist: dict[str, str]) -> Message:
    return email.message_from_string(sdist["metadata"])


def test_an_sdist_has_every_file_that_git_keeps(sdist: dict[str, str]) -> None:
    assert not set(kept_files()) - set(sdist["files"].splitlines())


def test_the_metadata_say_who_what_and_where(metadata: Message) -> None:
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["Author"] == "the nnunetv2-adamss developers"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert f"Repository, {ADDRESS}" in metadata.get_all("Project-URL", [])


def test_links_of_the_readme_work_outside_the_repository(metadata: Message) -> None:
    text = metadata.get_payload()
    assert isinstance(text, str)
    targets = re.findall(r"\[[^]]*\]\(([^)]+)\)", text)
    assert [target for target in targets if not target.startswith("https://")] == []
    assert f"{ADDRESS}/raw/HEAD/docs/picture.png" in targets
    files = [target.partition("/blob/HEAD/")[2] for target in targets if target.startswith(f"{ADDRESS}/blob")]
    assert "CHANGELOG.md" in files
    assert [file for file in files if not (REPOSITORY / file.partition("#")[0]).is_file()] == []


def test_the_changelog_begins_with_the_version() -> None:
    newest = re.search(r"^## (\S+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert PROJECT["version"].removesuffix(".dev0") == newest[1]


def test_every_file_gives_the_same_address_of_the_project() -> None:
    found = {}
    for name in kept_files():
        # tests/pipeline holds an archive.
        text = (REPOSITORY / name).read_text(errors="ignore")
        found |= dict.fromkeys(re.findall(r"https://github\.com/[\w.-]+/nnunetv2-adamss\b", text), name)
    assert list(found) == [ADDRESS]


def test_the_pythons_are_the_same_everywhere() -> None:
    versions = [
        name.rpartition(" ")[2]
        for name in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", name)
    ]
    above = f"3.{int(versions[-1].partition('.')[2]) + 1}"
    assert PROJECT["requires-python"] == f">={versions[0]},<{above}"
    workflow = read_yaml(".github/workflows/ci.yml")["jobs"]["run"]
    assert workflow["strategy"]["matrix"]["python"] == versions
    assert workflow["steps"][-1] == {"run": ".ci/run"}
    base = re.search(r"^ARG BASE=python:([\d.]+)", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    assert base is not None
    assert base[1] in versions
    assert f"Python {versions[0]} to {versions[-1]}" in (REPOSITORY / "README.md").read_text()


def test_the_citation_is_the_papers() -> None:
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    paper = citation["preferred-citation"]
    assert (paper["journal"], paper["volume"], paper["start"], paper["year"]) == (
        "npj Precision Oncology",
        8,
        232,
        2024,
    )
    readme = " ".join((REPOSITORY / "README.md").read_text().split())
    assert paper["title"] in readme
    assert ", ".join(f"{one['given-names'][0]}. {one['family-names']}" for one in paper["authors"]) in readme


def test_hooks_run_what_ci_runs() -> None:
    hooks = [hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    commands = (REPOSITORY / ".ci" / "run").read_text()
    assert [hook["name"] for hook in hooks] == ["ruff check", "ruff format", "mypy"]
    assert [hook["name"] for hook in hooks if f"\n{hook['name']}" not in commands] == []


def test_issue_forms_ask_for_what_they_need() -> None:
    forms = sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*_*.yml"))
    assert len(forms) == 2
    for form in forms:
        content = read_yaml(str(form))
        assert {"name", "description", "body"} <= set(content)
        fields = [field for field in content["body"] if field["type"] != "markdown"]
        assert all(field["attributes"]["label"] for field in fields)
        assert any(field.get("validations", {}).get("required") for field in fields)
