"""Lesions: exact volumes, room between them, and the same body on every grid."""

import numpy as np
import pytest
from scipy.ndimage import label as connected_components

from nnunetv2_adamss.datasets.phantom.anatomy import Anatomy
from nnunetv2_adamss.datasets.phantom.lesions import Lesion, LesionSet, tumour_volume_ml
from nnunetv2_adamss.datasets.phantom.phantom_grid import Grid

COARSE = Grid((32, 32, 32), (5.0, 5.0, 5.0))


def draw(seed: int, volume_ml: float, n_nodes: int) -> LesionSet:
    """A lesion set from one seed."""
    tumour, nodes = (np.random.default_rng([seed, i]) for i in range(2))
    return LesionSet.draw(volume_ml, n_nodes, tumour, nodes)


def test_the_median_tumour_has_twelve_millilitres_and_one_sd_multiplies_by_root_e() -> None:
    assert tumour_volume_ml(0.0) == 12.0
    assert tumour_volume_ml(1.0) == pytest.approx(12.0 * np.exp(0.5))


@pytest.mark.parametrize("lobe_sd", [0.0, 0.16])
def test_the_surface_encloses_the_asked_volume(lobe_sd: float) -> None:
    fine = Grid((60, 60, 60), (1.0, 1.0, 1.0))
    lesion = Lesion.draw(np.zeros(3), 12.0, 0.2, lobe_sd, np.random.default_rng(0))
    assert (lesion.level(fine.coordinates()) < 1).sum() / 1000 == pytest.approx(12.0, rel=0.02)
    reach = np.sqrt(sum(axis**2 for axis in fine.coordinates()))[lesion.level(fine.coordinates()) < 1]
    assert reach.max() <= lesion.bounding_radius_mm


@pytest.mark.parametrize("seed", range(12))
def test_tumour_and_nodes_are_one_piece_each_and_do_not_touch_even_on_the_coarsest_grid(seed: int) -> None:
    lesions = draw(seed, 40.0, 4)
    level = Anatomy.draw(np.random.default_rng(seed)).body_level(COARSE.coordinates())
    tumour, nodes = lesions.masks(COARSE, level)
    together = np.any([tumour, *nodes], axis=0)
    assert connected_components(together, structure=np.ones((3, 3, 3)))[1] == 5
    assert (level[together] < 0.9).all()


def test_tumours_lie_off_centre_on_both_sides() -> None:
    x_mm = np.array([draw(seed, 12.0, 0).tumour.centre_mm[2] for seed in range(20)])
    assert (np.abs(x_mm) >= 16).all() and (x_mm > 0).any() and (x_mm < 0).any()


def test_node_sizes_do_not_depend_on_the_tumour_or_on_the_number_of_nodes() -> None:
    few, many = draw(3, 5.0, 2), draw(3, 30.0, 4)
    assert many.node_ml[:2] == few.node_ml
