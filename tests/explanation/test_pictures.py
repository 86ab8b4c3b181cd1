"""Pictures: the right slice, and one that can be drawn of anything."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from nnunetv2_adamss.explanation.pictures import CaseViews, draw_attention, draw_occlusion, tumour_slice

RNG = np.random.default_rng(0)


def views(tumour_at: int | None, shape: tuple[int, int, int] = (20, 30, 8)) -> CaseViews:
    tumour = np.zeros(shape, dtype=bool)
    if tumour_at is not None:
        tumour[5:9, 5:9, tumour_at] = True
        tumour[5, 5, 0] = True
    images = {name: RNG.normal(size=shape).astype(np.float32) for name in ("CT", "PET")}
    return CaseViews(images, tumour, (1.0, 1.0, 5.0))


def test_the_slice_is_the_one_with_the_most_tumour_or_the_middle() -> None:
    assert tumour_slice(views(6).tumour) == 6
    assert tumour_slice(views(None).tumour) == 4


@pytest.mark.parametrize("tumour_at", [3, None])
@pytest.mark.parametrize("n_levels", [1, 3, 6])
def test_attention_is_drawn_for_any_number_of_levels(
    tmp_path: Path, tumour_at: int | None, n_levels: int
) -> None:
    case = views(tumour_at)
    attention = {
        stage: [RNG.random(case.tumour.shape, dtype=np.float32) for _ in range(n_levels)]
        for stage in ("stage_one", "stage_two")
    }
    draw_attention(tmp_path / "a.png", "case", case, attention)
    height, width, _ = matplotlib.image.imread(tmp_path / "a.png").shape
    assert width > height / 2 and height > 300


def test_the_row_with_the_largest_change_shows_that_slice(tmp_path: Path) -> None:
    case = views(3)
    pictures = []
    for at in (6, 7):
        change = np.zeros(case.tumour.shape, dtype=np.float32)
        change[:, :, at] = -5  # all of the slice, so that only the grey image below differs
        draw_occlusion(tmp_path / f"{at}.png", "case", "change", case, change)
        pictures.append(matplotlib.image.imread(tmp_path / f"{at}.png"))
    differs = np.abs(pictures[0] - pictures[1]).max(axis=(1, 2)) > 0.1
    half = len(differs) // 2
    assert not differs[: half - 20].any()
    assert differs[half:].any()


def test_a_map_without_any_change_is_drawn(tmp_path: Path) -> None:
    case = views(None)
    draw_occlusion(tmp_path / "none.png", "case", "change", case, np.zeros_like(case.images["CT"]))
    assert (tmp_path / "none.png").stat().st_size > 5000
