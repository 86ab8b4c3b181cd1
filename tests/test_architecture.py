"""Who may import whom, who may print, and that departures from the paper are marked and listed."""

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest

from tests.fresh_python import output_of

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "nnunetv2_adamss"
# Folder: the folders of ours that it may import besides itself, and the libraries that it must not. From the lowest to
# the highest: each may import only what stands above it here. A folder in a folder may have a rule of its own.
RULES: dict[str, tuple[set[str], set[str]]] = {
    # Below all others, so that every folder comes through the same doors for files.
    "common": (set(), {"nnunetv2", "pandas"}),
    "common/tables": (set(), {"nnunetv2", "torch"}),
    "networks": (set(), {"nnunetv2", "pandas", "SimpleITK"}),
    # Arrays and masks in, numbers out.
    "metrics": ({"common"}, {"torch", "nnunetv2"}),
    # Shows results, whatever they are of.
    "display": ({"common", "metrics"}, {"torch", "nnunetv2"}),
    "survival": ({"common", "networks", "metrics", "display"}, {"SimpleITK"}),
    "radiomics": ({"common", "survival"}, set()),
    # What a training leaves on the disk, for all who come after it, and for the trainers that write it.
    "trained_folds": ({"common", "networks", "survival", "metrics", "display"}, {"SimpleITK"}),
    # The table of methods, which trainers are made from.
    "methods": ({"common", "survival"}, {"torch", "nnunetv2", "pandas", "numpy", "SimpleITK"}),
    "trainers": (
        {"common", "networks", "survival", "trained_folds", "radiomics", "metrics", "methods"},
        {"pandas", "SimpleITK"},
    ),
    # Series of DICOM files in, images out, and masks back; nothing else of a file leaves it.
    "dicom": ({"common"}, {"nnunetv2", "torch", "pandas"}),
    "datasets": ({"common", "survival", "dicom"}, {"nnunetv2", "torch"}),
    "tn_stages": ({"common", "survival", "trained_folds", "metrics"}, {"nnunetv2", "torch", "SimpleITK"}),
    "prediction": (
        {"common", "networks", "survival", "trained_folds", "radiomics", "metrics", "display", "tn_stages", "dicom"},
        set(),
    ),
    "prediction/hecktor": ({"common", "survival", "datasets", "tn_stages"}, {"nnunetv2", "torch"}),
    "explanation": ({"common", "networks", "survival", "trained_folds"}, {"SimpleITK"}),
    # Reads tables and puts the numbers of metrics together.
    "evaluation": ({"common", "metrics", "survival", "trained_folds", "display"}, {"torch", "nnunetv2"}),
    "methods/statistical": (
        {"common", "survival", "trained_folds", "metrics", "radiomics", "evaluation", "prediction"},
        {"SimpleITK"},
    ),
    # Runs commands, and needs the table of methods to know what they leave.
    "benchmark": (
        {"common", "survival", "trained_folds", "metrics", "display", "evaluation", "explanation", "methods"},
        {"torch", "SimpleITK"},
    ),
    "report": (
        {
            "common", "survival", "trained_folds", "metrics", "display", "evaluation", "prediction", "explanation",
            "datasets", "benchmark", "tn_stages",
        },
        set(),
    ),
    "demo": ({"common", "survival", "trained_folds", "metrics", "display"}, {"torch", "nnunetv2"}),
}  # fmt: skip
COMMANDS = PACKAGE / "cli"


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            modules.add(node.module or "")
    return modules


def files_of(folder: str) -> list[Path]:
    """The modules that the rule of a folder is about: not those of a folder in it that has a rule of its own."""
    inner = [PACKAGE / other for other in RULES if other.startswith(f"{folder}/")]
    return [
        p for p in (PACKAGE / folder).rglob("*.py") if not any(p.is_relative_to(other) for other in inner)
    ]


def test_every_folder_has_a_rule() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {rule.split("/")[0] for rule in RULES} | {"cli", "nnunet_plugin"}


@pytest.mark.parametrize("folder", sorted(RULES))
def test_no_folder_may_import_a_higher_one(folder: str) -> None:
    lower = list(RULES)[: list(RULES).index(folder)]
    assert RULES[folder][0] <= set(lower)


@pytest.mark.parametrize("folder", sorted(RULES))
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    allowed_folders, forbidden_libraries = RULES[folder]
    for path in files_of(folder):
        for module in imported_modules(path):
            library, _, rest = module.partition(".")
            assert library not in forbidden_libraries, f"{path} imports {module}"
            if library == "nnunetv2_adamss":
                own, of_others = folder.partition("/")[0], rest.partition(".")[0]
                assert of_others in {own, *allowed_folders}, f"{path} imports {module}"


def test_no_two_files_have_one_name() -> None:
    """A command and what it calls may; whoever looks for a file elsewhere finds one."""
    paths = [p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" and p.parent != COMMANDS]
    twice = {p.name for p in paths if sum(other.name == p.name for other in paths) > 1}
    assert not twice


def test_only_commands_print() -> None:
    for path in PACKAGE.rglob("*.py"):
        calls = [n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        prints = any(isinstance(call, ast.Name) and call.id == "print" for call in calls)
        assert not prints or path.parent.name == "cli", path


def test_images_are_read_through_one_door() -> None:
    door = PACKAGE / "common"
    for path in PACKAGE.rglob("*.py"):
        code = path.read_text()
        # nnU-Net's readers give formats that have no place in space.
        allowed = path.parent == door or path.name == "case_geometry.py"
        for reader in ("ReadImage(", "read_seg(", "nibabel.load(", "nib.load("):
            assert allowed or reader not in code, f"{path} reads images by {reader})"


def test_tables_are_written_and_read_where_formulas_are_made_text() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name != "csv_text.py":
            found = re.findall(
                r"\.to_csv\(|\bpd\.read_csv\(|\bcsv\.(?:writer|DictWriter)\(", path.read_text()
            )
            assert not found, f"{path} calls {found}; csv_text and read_csv of common.tables.csv_text do it"


def test_no_test_fails_on_a_busy_machine() -> None:
    """Tests wait for what happens, by ``wait_until``, and measure no time: that is what ``measurements/`` are for."""
    for path in REPOSITORY.glob("tests/**/*.py"):
        # A screenshot that never comes, and a figure that is printed.
        allowed = path.name in ("processes.py", "test_browser.py", "test_architecture.py") or (
            path.parent.name == "pipeline" and path.name == "conftest.py"
        )
        found = re.findall(r"\b(?:monotonic|perf_counter|process_time|timeout)\b", path.read_text())
        assert allowed or not found, f"{path} has {found}"


def test_every_choice_and_deviation_in_the_code_is_listed_and_the_other_way_round() -> None:
    marked = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\b(choice|deviation):", path.read_text())
    }
    page = (REPOSITORY / "docs" / "differences_from_the_paper.md").read_text()
    assert set(re.findall(r"`(\w+(?:/\w+)+\.py)`", page)) == marked


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")):
        for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize(
    "command",
    [
        "benchmark",
        "calibrate",
        "convert_dataset",
        "demo",
        "evaluate_survival",
        "explain",
        "export_model",
        "extract_radiomics",
        "finetune_survival",
        "fit_statistical",
        "fit_tn_stages",
        "fuse_risks",
        "hecktor_inference",
        "make_phantom_dataset",
        "make_splits",
        "predict_statistical",
        "predict_survival",
        "report",
        "set_normalization",
        "trainer_path",
        "verify_dataset",
    ],
)
def test_help_answers_without_importing_anything_heavy(command: str) -> None:
    code = (
        "import contextlib, io, sys\n"
        f"from nnunetv2_adamss.cli.{command} import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "assert 'usage: adamss_' in out.getvalue()\n"
        "print(sorted({'torch', 'nnunetv2', 'pandas', 'SimpleITK', 'matplotlib', 'numpy'} & set(sys.modules)))\n"
    )
    assert output_of(code) == "[]"


def test_every_command_of_the_guides_is_one_that_its_parser_takes() -> None:
    n_commands = 0
    for page in sorted((REPOSITORY / "docs").glob("guide_*.md")):
        lines = page.read_text().replace("\\\n", " ").splitlines()
        for name, *arguments in (shlex.split(line) for line in lines if line.strip().startswith("adamss_")):
            command = importlib.import_module(f"nnunetv2_adamss.cli.{name.removeprefix('adamss_')}")
            command.build_parser().parse_args(["0" if word == "$fold" else word for word in arguments])
            n_commands += 1
    assert n_commands > 10
