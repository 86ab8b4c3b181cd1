"""Networks by name: those of checkpoints stay, a file adds its own, and nothing else is imported."""

import sys

import pytest

from nnunetv2_adamss.networks.comparison import __path__ as comparison_folders
from nnunetv2_adamss.networks.registry import build_survival_network, network_names
from nnunetv2_adamss.networks.survival_network import NetworkSizes
from tests.fresh_python import output_of

SIZES = NetworkSizes(
    ("CT", "PET"), 4, 3, [[1, 1, 1], [2, 2, 2], [2, 2, 2]], [[3, 3, 3]] * 3, crop_size=(8, 8, 8)
)


def test_the_names_are_those_of_users_checkpoints() -> None:
    assert set(network_names()) == {
        "adamss", "adamss_pet_only", "adamss_ct_only", "adamss_early_fusion", "adamss_late_fusion",
        "adamss_intermediate_fusion", "adamss_multi_task", "deepmts", "mdsn_proxy", "deepmtlr", "tmss",
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in network_names() if name != "tmss"])
def test_every_network_is_built_from_its_name(name: str) -> None:
    network = build_survival_network(name, SIZES)
    assert network.squared_weights().item() > 0


@pytest.mark.parametrize(
    "name",
    ["", "os", "parts", "parts.cox_network", "../adamss", ".tmss", "tmss.os", "__init__", "deepmts.py"],
)
def test_a_name_of_anything_else_imports_nothing(name: str) -> None:
    before = set(sys.modules)
    with pytest.raises(ValueError, match="There is no survival network .* in this version, only adamss, "):
        build_survival_network(name, SIZES)
    assert set(sys.modules) == before


def test_a_method_of_ones_own_is_a_file_beside_the_others(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("comparison")
    (folder / "my_method.py").write_text(
        "from nnunetv2_adamss.networks.comparison.mdsn_proxy import MDSNProxy\n\n\n"
        "def build(sizes):\n    return MDSNProxy(sizes.n_modalities, sizes.n_intervals, sizes.n_covariates)\n"
    )
    comparison_folders.append(str(folder))
    network_names.cache_clear()
    try:
        assert type(build_survival_network("my_method", SIZES)).__name__ == "MDSNProxy"
    finally:
        comparison_folders.remove(str(folder))
        network_names.cache_clear()
        sys.modules.pop("nnunetv2_adamss.networks.comparison.my_method", None)


def test_names_are_known_without_importing_monai() -> None:
    code = (
        "import sys\nfrom nnunetv2_adamss.networks.registry import network_names\nnetwork_names()\n"
        "print('monai' in sys.modules)"
    )
    assert output_of(code) == "False"
