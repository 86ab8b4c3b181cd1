"""Seconds for the radiomics of a case, by this package and by plain pyradiomics with the same settings.

Baselines, always named:
  A  no resampling, phantoms in a large volume; plain pyradiomics filters the whole volume
  B  the shipped settings with 1 mm resampling, phantoms of 2 mm voxels
  B on real cases  the shipped settings on the cases of an nnU-Net raw data set, such as the open sarcoma set
  C  the shipped settings on ragged masks: half of the voxels of a cube of 5 mm voxels, as a network without training
     outlines; plain pyradiomics takes the diameters over all pairs of surface vertices. The largest masks are done by
     this package only, since plain pyradiomics would take most of an hour

Both sides compute the same 1,456 features: shape once, and no diagnostics of pyradiomics about its input. Images are
in memory and extractors are built beforehand, one process, one thread. The two take turns, and the ratio of a case is
that of the medians. The largest relative difference of a feature is reported beside it.

    OMP_NUM_THREADS=1 python measurements/radiomics_speed.py --dataset Dataset510_STS -o radiomics.json
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import SimpleITK as sitk
from radiomics.featureextractor import RadiomicsFeatureExtractor
from scipy.ndimage import gaussian_filter

from nnunetv2_adamss.radiomics.extract_case import _region_features, _without_shape
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings, quiet_pyradiomics
from nnunetv2_adamss.radiomics.request import RadiomicsRequest

CHANNELS = ("CT", "PET")
Case = tuple[list[sitk.Image], sitk.Image]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=160, help="of the volume of baseline A, in voxels")
    parser.add_argument("--radii", type=float, nargs="*", default=[15, 30], help="of the tumours, in mm")
    parser.add_argument("--ragged", type=int, nargs="*", default=[17], help="sides of baseline C, in voxels")
    parser.add_argument(
        "--ragged_alone", type=int, nargs="*", default=[31], help="the same, by our side alone"
    )
    parser.add_argument("--dataset", type=Path, help="raw data set for baseline B on real cases")
    parser.add_argument("--cases", type=int, help="how many of them (default: all)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    shipped = RadiomicsRequest(CHANNELS, RadiomicsSettings.read())
    rows: list[dict[str, Any]] = []
    print(
        f"{'baseline':10s} {'case':12s} {'voxels':>8s} {'plain s':>9s} {'ours s':>9s} {'ratio':>7s} {'difference':>12s}"
    )
    for radius in args.radii:
        whole = phantom(args.side, radius, 1)
        rows.append(measure("A", f"{radius:g} mm", whole, without_resampling(), rounds=args.rounds))
        coarse = phantom(args.side // 2, radius, 2)
        rows.append(measure("B", f"{radius:g} mm", coarse, shipped, rounds=args.rounds))
    for side in args.ragged:
        rows.append(measure("C", f"side {side}", ragged(side), shipped, rounds=1))
    for side in args.ragged_alone:
        rows.append(measure("C", f"side {side}", ragged(side), shipped, rounds=1, with_plain=False))
    for file in sorted((args.dataset / "labelsTr").iterdir())[: args.cases] if args.dataset else []:
        case_id = file.name.removesuffix(".nii.gz")
        real = read_case(args.dataset, case_id)
        rows.append(measure("B, real", case_id, real, shipped, rounds=args.rounds))
    summarise(rows)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps({"rounds": args.rounds, "cases": rows}, indent=1))


def without_resampling() -> RadiomicsRequest:
    shipped = RadiomicsSettings.read()
    settings = RadiomicsSettings({**shipped.parameters, "setting": {}}, shipped.channel_setting)
    return RadiomicsRequest(CHANNELS, settings)


def phantom(side: int, radius_mm: float, spacing_mm: float) -> Case:
    """Make CT (int16, HU) and PET (float32, SUV) with a textured ball in the middle of a cube."""
    rng = np.random.default_rng(0)
    distance_mm = np.linalg.norm(np.indices((side,) * 3) - side / 2 + 0.3, axis=0) * spacing_mm
    ball = distance_mm < radius_mm
    texture = gaussian_filter(rng.normal(size=ball.shape), 1.5)
    texture /= texture.std()
    ct = np.round(40 * ball + 30 * texture + rng.normal(0, 15, ball.shape)).astype(np.int16)
    uptake = 7 * np.exp(-((distance_mm / radius_mm) ** 2)) + 0.8 * texture
    pet = (1 + ball * uptake + rng.normal(0, 0.2, ball.shape)).astype(np.float32)
    images = [sitk.GetImageFromArray(array) for array in (ct, pet, ball.astype(np.uint8))]
    for image in images:
        image.SetSpacing((spacing_mm,) * 3)
    return images[:2], images[2]


def ragged(side: int) -> Case:
    """Make CT and PET with a mask of random voxels, about one in two, within a margin that the filters need."""
    rng = np.random.default_rng(0)
    region = np.pad(rng.random((side,) * 3) < 0.5, 6)
    ct = np.round(40 * region + rng.normal(0, 30, region.shape)).astype(np.int16)
    pet = (1 + region * 5 + rng.normal(0, 1, region.shape)).astype(np.float32)
    images = [sitk.GetImageFromArray(array) for array in (ct, pet, region.astype(np.uint8))]
    for image in images:
        image.SetSpacing((5.0,) * 3)
    return images[:2], images[2]


def read_case(dataset: Path, case_id: str) -> Case:
    images = [sitk.ReadImage(str(dataset / "imagesTr" / f"{case_id}_000{i}.nii.gz")) for i in range(2)]
    mask = sitk.ReadImage(str(dataset / "labelsTr" / f"{case_id}.nii.gz"))
    mask.CopyInformation(images[0])
    return images, mask


def measure(
    baseline: str, name: str, case: Case, request: RadiomicsRequest, *, rounds: int, with_plain: bool = True
) -> dict[str, Any]:
    """Time both sides in turns, and compare their features."""
    images, mask = case
    region = sitk.GetArrayFromImage(mask) > 0
    plain = plain_pyradiomics(request)
    expected: dict[str, float] = {}
    seconds: dict[str, list[float]] = {"plain": [], "ours": []}
    with quiet_pyradiomics():
        if with_plain:
            _region_features(images, region, request)  # builds and keeps our extractors
        for _ in range(rounds):
            if with_plain:
                taken, expected = timed(lambda: plain(images, mask))
                seconds["plain"].append(taken)
            taken, found = timed(lambda: _region_features(images, region, request))
            seconds["ours"].append(taken)
    assert len(found) == 1456
    row: dict[str, Any] = {"baseline": baseline, "case": name, "voxels": int(region.sum())}
    row |= {"plain_s": median(seconds["plain"]) if with_plain else None, "ours_s": median(seconds["ours"])}
    row |= compared(expected, found) if with_plain else {}
    print(line_of(row), flush=True)
    return row


def compared(expected: dict[str, float], found: dict[str, float]) -> dict[str, Any]:
    assert len(found) == len(expected)
    values = np.array(list(expected.values())), np.array(list(found.values()))
    with np.errstate(all="ignore"):
        differences = np.where(values[0] == values[1], 0, np.abs(values[1] / values[0] - 1))
    return {
        "largest_relative_difference": float(np.nanmax(differences)),
        "equal_features": int((differences == 0).sum()),
    }


def line_of(row: dict[str, Any]) -> str:
    begin = f"{row['baseline']:10s} {row['case']:12s} {row['voxels']:8d}"
    if row["plain_s"] is None:
        return f"{begin} {'':9s} {row['ours_s']:9.3f}"
    return (
        f"{begin} {row['plain_s']:9.3f} {row['ours_s']:9.3f} {row['plain_s'] / row['ours_s']:6.2f}x "
        f"{row['largest_relative_difference']:12.1e}"
    )


def plain_pyradiomics(
    request: RadiomicsRequest,
) -> Callable[[list[sitk.Image], sitk.Image], dict[str, float]]:
    """Extract all features by unchanged pyradiomics; shape of the first channel only, as in this package."""
    with quiet_pyradiomics():
        parameters = [request.settings.of_channel(channel) for channel in request.channels]
        parameters[1:] = [_without_shape(of_channel) for of_channel in parameters[1:]]
        extractors = [RadiomicsFeatureExtractor(of_channel) for of_channel in parameters]

    def extract(images: list[sitk.Image], mask: sitk.Image) -> dict[str, float]:
        return {
            f"{channel}_{name}": float(value)
            for channel, extractor, image in zip(request.channels, extractors, images, strict=True)
            for name, value in extractor.execute(image, mask, label=1).items()
        }

    return extract


def timed(function: Callable[[], dict[str, float]]) -> tuple[float, dict[str, float]]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def summarise(rows: list[dict[str, Any]]) -> None:
    rows = [row for row in rows if row["plain_s"] is not None]
    for baseline in dict.fromkeys(row["baseline"] for row in rows):
        ratios = [row["plain_s"] / row["ours_s"] for row in rows if row["baseline"] == baseline]
        print(
            f"baseline {baseline}: {len(ratios)} case(s), ratio of a case: median {median(ratios):.2f}, "
            f"{min(ratios):.2f} to {max(ratios):.2f}"
        )


if __name__ == "__main__":
    main()
