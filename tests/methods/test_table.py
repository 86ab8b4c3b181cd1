"""What commands and the benchmark read of the statistical methods."""

import pytest

from nnunetv2_adamss.methods.table import RECIPES, STATISTICAL, results_name
from nnunetv2_adamss.nnunet_plugin import nnunetv2_adamss_trainers


def test_a_method_that_continues_with_a_variant_of_its_network_has_results_of_its_own() -> None:
    assert results_name("icare", None) == "ICARE"
    assert (
        results_name("radio_deepmts", None)
        == results_name("radio_deepmts", "DeepMTSTrainer")
        == "RadioDeepMTS"
    )
    assert results_name("radio_deepmts", "DeepMTSTrainer_ShortSchedule") == "RadioDeepMTS_ShortSchedule"


@pytest.mark.parametrize(
    ("method", "trainer"), [("radio_deepmts", "TMSSTrainer"), ("icare", "DeepMTSTrainer")]
)
def test_a_network_that_a_method_does_not_use_is_refused(method: str, trainer: str) -> None:
    with pytest.raises(ValueError, match=f"not from {trainer}"):
        results_name(method, trainer)


def test_the_networks_that_methods_start_from_exist() -> None:
    trainers = {method.trainer.name for method in STATISTICAL.values() if method.trainer}
    assert trainers == {"DeepMTLRTrainer", "DeepMTSTrainer"}
    assert all(hasattr(nnunetv2_adamss_trainers, name) for name in trainers)


def test_no_two_methods_have_results_in_one_place() -> None:
    folders = [method.statistical_fit.folder for method in STATISTICAL.values()]
    assert len({*folders, *RECIPES}) == len(folders) + len(RECIPES)
