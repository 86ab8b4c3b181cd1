"""Images follow their own signal and no other."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.ndimage import label as connected_components
from scipy.stats import spearmanr

from nnunetv2_adamss.datasets.phantom.phantom_grid import Grid
from nnunetv2_adamss.datasets.phantom.phantom_images import IdealImages, Patient
from nnunetv2_adamss.datasets.phantom.scanner import Scanner, scan_ct, scan_pet

GRID = Grid((40, 40, 40), (4.0, 4.0, 4.0))
AVERAGE: Mapping[str, float] = {
    "volume": 0.0,
    "heterogeneity": 0.0,
    "n_nodes": 2,
    "out_of_tumour_uptake": 0.0,
    "ct_only_pattern": 0.0,
}


def render(seed: int = 0, **signals: float) -> IdealImages:
    """Ideal images of an average patient with some signals changed."""
    return Patient.draw({**AVERAGE, **signals}, np.random.SeedSequence(seed)).render(GRID)


def pet_after_scan(images: IdealImages, seed: int = 0) -> np.ndarray:
    """What the PET scanner makes of them."""
    return scan_pet(images.pet_suv, GRID.spacing_mm, Scanner(), np.random.default_rng(seed))


def test_ct_has_air_around_soft_tissue_in_the_neck_and_bone() -> None:
    images = render()
    ct = scan_ct(images.ct_hu, GRID.spacing_mm, Scanner(), np.random.default_rng(0))
    assert ct.dtype == np.int16
    assert np.median(ct[:, 0, :]) == pytest.approx(-1000, abs=15)
    assert 20 < np.median(ct[images.label == 1]) < 100
    assert (ct > 400).sum() > 300
    assert ct.min() >= -1024 and ct.max() <= 3071


def test_pet_is_non_negative_and_healthy_organs_are_as_hot_as_the_tumour() -> None:
    images = render()
    pet = pet_after_scan(images)
    assert pet.dtype == np.float32 and pet.min() >= 0
    tumour_median = np.median(pet[images.label == 1])
    assert (pet[images.label == 0] > tumour_median).sum() > (images.label == 1).sum()


def test_the_tumour_volume_follows_its_signal_alone() -> None:
    rng = np.random.default_rng(0)
    z, other = rng.uniform(-2.3, 2.3, 25), rng.uniform(-2, 2, (25, 3))
    names = ("heterogeneity", "out_of_tumour_uptake", "ct_only_pattern")
    voxels = [
        (render(i, volume=v, **dict(zip(names, o, strict=True))).label == 1).sum()
        for i, (v, o) in enumerate(zip(z, other, strict=True))
    ]
    assert spearmanr(z, voxels)[0] > 0.98
    volume_ml = np.array(voxels) * GRID.voxel_volume_ml
    np.testing.assert_allclose(volume_ml, 12 * np.exp(0.5 * z), atol=GRID.voxel_volume_ml)


@pytest.mark.parametrize("n_nodes", [0, 1, 2, 3, 4])
def test_the_node_label_has_as_many_pieces_as_the_signal_says(n_nodes: int) -> None:
    nodes = render(5, n_nodes=n_nodes).label == 2
    assert connected_components(nodes, structure=np.ones((3, 3, 3)))[1] == n_nodes


def test_heterogeneity_spreads_tumour_uptake_and_leaves_its_mean_ct_and_everything_else() -> None:
    calm, wild = render(heterogeneity=-2.0), render(heterogeneity=2.0)
    tumour = calm.label == 1
    assert wild.pet_suv[tumour].std() > 5 * calm.pet_suv[tumour].std()
    assert wild.pet_suv[tumour].mean() == pytest.approx(calm.pet_suv[tumour].mean())
    np.testing.assert_array_equal(wild.pet_suv[~tumour], calm.pet_suv[~tumour])
    np.testing.assert_array_equal(wild.ct_hu, calm.ct_hu)


def test_heterogeneity_is_still_ranked_after_the_scanner() -> None:
    z = np.random.default_rng(1).uniform(-2, 2, 25)
    spread = []
    for i, value in enumerate(z):
        images = render(i, heterogeneity=value)
        inside = pet_after_scan(images, i)[images.label == 1]
        spread.append(inside.std() / inside.mean())
    assert spearmanr(z, spread)[0] > 0.7


def test_the_ct_only_pattern_changes_no_pet_voxel_and_no_label_and_darkens_ct_outside_labels() -> None:
    weak, strong = render(ct_only_pattern=-2.0), render(ct_only_pattern=2.0)
    np.testing.assert_array_equal(pet_after_scan(weak), pet_after_scan(strong))
    np.testing.assert_array_equal(weak.label, strong.label)
    assert (strong.ct_hu <= weak.ct_hu).all()
    changed = strong.ct_hu < weak.ct_hu - 1
    assert changed.sum() > 200 and not (changed & (weak.label > 0)).any()


def test_out_of_tumour_uptake_adds_pet_outside_the_labels_only_and_leaves_ct() -> None:
    weak, strong = render(out_of_tumour_uptake=-2.0), render(out_of_tumour_uptake=2.0)
    np.testing.assert_array_equal(weak.ct_hu, strong.ct_hu)
    np.testing.assert_array_equal(weak.label, strong.label)
    changed = strong.pet_suv != weak.pet_suv
    assert (strong.pet_suv >= weak.pet_suv).all() and changed.sum() > 200
    assert not (changed & (weak.label > 0)).any()


def test_blur_does_not_carry_out_of_tumour_uptake_into_the_labels() -> None:
    weak, strong = render(out_of_tumour_uptake=-2.0), render(out_of_tumour_uptake=2.0)
    difference = np.abs(pet_after_scan(strong) - pet_after_scan(weak))
    assert difference[weak.label > 0].max() < 0.01


def test_no_label_comes_near_the_border() -> None:
    for seed in range(8):
        inside = np.zeros(GRID.shape, bool)
        inside[2:-2, 2:-2, 2:-2] = True
        assert not (render(seed, volume=2.5, n_nodes=4).label[~inside] > 0).any()
