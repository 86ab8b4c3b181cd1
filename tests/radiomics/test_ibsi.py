"""The digital phantom of the Image Biomarker Standardisation Initiative (IBSI-1), against the consensus values.

IBSI gives three significant digits; a value conforms if it is within the tolerance when it is rounded like that.
Texture is "3D, averaged", as pyradiomics computes it; the phantom's intensities are grey levels already.
"""

import csv
import math
import re
from pathlib import Path

import pytest
import SimpleITK as sitk

from nnunetv2_adamss.radiomics.extract_case import extract_case
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings
from nnunetv2_adamss.radiomics.request import RadiomicsCase, RadiomicsRequest

N_VOXELS = 74
SAME = {
    "shape_Elongation": "morph_pca_elongation", "shape_Flatness": "morph_pca_flatness",
    "shape_Maximum3DDiameter": "morph_diam", "shape_MeshVolume": "morph_volume", "shape_SurfaceArea": "morph_area_mesh",
    "shape_SurfaceVolumeRatio": "morph_av", "shape_Sphericity": "morph_sphericity",
    "shape_SphericalDisproportion": "morph_sph_dispr", "shape_Compactness1": "morph_comp_1",
    "shape_Compactness2": "morph_comp_2",
    "firstorder_10Percentile": "stat_p10", "firstorder_90Percentile": "stat_p90", "firstorder_Energy": "stat_energy",
    "firstorder_Entropy": "ih_entropy", "firstorder_Uniformity": "ih_uniformity",
    "firstorder_InterquartileRange": "stat_iqr", "firstorder_Maximum": "stat_max", "firstorder_Mean": "stat_mean",
    "firstorder_MeanAbsoluteDeviation": "stat_mad", "firstorder_Median": "stat_median",
    "firstorder_Minimum": "stat_min", "firstorder_Range": "stat_range",
    "firstorder_RobustMeanAbsoluteDeviation": "stat_rmad", "firstorder_RootMeanSquared": "stat_rms",
    "firstorder_Skewness": "stat_skew", "firstorder_Variance": "stat_var",
    "glcm_Autocorrelation": "cm_auto_corr", "glcm_ClusterProminence": "cm_clust_prom",
    "glcm_ClusterShade": "cm_clust_shade", "glcm_ClusterTendency": "cm_clust_tend", "glcm_Contrast": "cm_contrast",
    "glcm_Correlation": "cm_corr", "glcm_DifferenceAverage": "cm_diff_avg", "glcm_DifferenceEntropy": "cm_diff_entr",
    "glcm_DifferenceVariance": "cm_diff_var", "glcm_Id": "cm_inv_diff", "glcm_Idm": "cm_inv_diff_mom",
    "glcm_Idmn": "cm_inv_diff_mom_norm", "glcm_Idn": "cm_inv_diff_norm", "glcm_Imc1": "cm_info_corr1",
    "glcm_Imc2": "cm_info_corr2", "glcm_InverseVariance": "cm_inv_var", "glcm_JointAverage": "cm_joint_avg",
    "glcm_JointEnergy": "cm_energy", "glcm_JointEntropy": "cm_joint_entr", "glcm_MaximumProbability": "cm_joint_max",
    "glcm_SumAverage": "cm_sum_avg", "glcm_SumEntropy": "cm_sum_entr", "glcm_SumSquares": "cm_joint_var",
    "glrlm_GrayLevelNonUniformity": "rlm_glnu", "glrlm_GrayLevelNonUniformityNormalized": "rlm_glnu_norm",
    "glrlm_GrayLevelVariance": "rlm_gl_var", "glrlm_HighGrayLevelRunEmphasis": "rlm_hgre",
    "glrlm_LongRunEmphasis": "rlm_lre", "glrlm_LongRunHighGrayLevelEmphasis": "rlm_lrhge",
    "glrlm_LongRunLowGrayLevelEmphasis": "rlm_lrlge", "glrlm_LowGrayLevelRunEmphasis": "rlm_lgre",
    "glrlm_RunEntropy": "rlm_rl_entr", "glrlm_RunLengthNonUniformity": "rlm_rlnu",
    "glrlm_RunLengthNonUniformityNormalized": "rlm_rlnu_norm", "glrlm_RunPercentage": "rlm_r_perc",
    "glrlm_RunVariance": "rlm_rl_var", "glrlm_ShortRunEmphasis": "rlm_sre",
    "glrlm_ShortRunHighGrayLevelEmphasis": "rlm_srhge", "glrlm_ShortRunLowGrayLevelEmphasis": "rlm_srlge",
    "glszm_GrayLevelNonUniformity": "szm_glnu", "glszm_GrayLevelNonUniformityNormalized": "szm_glnu_norm",
    "glszm_GrayLevelVariance": "szm_gl_var", "glszm_HighGrayLevelZoneEmphasis": "szm_hgze",
    "glszm_LargeAreaEmphasis": "szm_lze", "glszm_LargeAreaHighGrayLevelEmphasis": "szm_lzhge",
    "glszm_LargeAreaLowGrayLevelEmphasis": "szm_lzlge", "glszm_LowGrayLevelZoneEmphasis": "szm_lgze",
    "glszm_SizeZoneNonUniformity": "szm_zsnu", "glszm_SizeZoneNonUniformityNormalized": "szm_zsnu_norm",
    "glszm_SmallAreaEmphasis": "szm_sze", "glszm_SmallAreaHighGrayLevelEmphasis": "szm_szhge",
    "glszm_SmallAreaLowGrayLevelEmphasis": "szm_szlge", "glszm_ZoneEntropy": "szm_zs_entr",
    "glszm_ZonePercentage": "szm_z_perc", "glszm_ZoneVariance": "szm_zs_var",
    "ngtdm_Busyness": "ngt_busyness", "ngtdm_Coarseness": "ngt_coarseness", "ngtdm_Complexity": "ngt_complexity",
    "ngtdm_Contrast": "ngt_contrast", "ngtdm_Strength": "ngt_strength",
}  # fmt: skip
# pyradiomics says so itself, or divides the covariance by the number of voxels where IBSI's values divide by one less.
CONVERTED = {
    "firstorder_Kurtosis": ("stat_kurt", lambda value: value - 3),
    **{
        f"shape_{axis}AxisLength": (
            f"morph_pca_{tag}_axis",
            lambda value: value * math.sqrt(N_VOXELS / (N_VOXELS - 1)),
        )
        for axis, tag in (("Major", "maj"), ("Minor", "min"), ("Least", "least"))
    },
}
NOT_IN_IBSI = {
    "shape_Maximum2DDiameterColumn", "shape_Maximum2DDiameterRow", "shape_Maximum2DDiameterSlice",
    "firstorder_StandardDeviation", "firstorder_TotalEnergy", "glcm_MCC",
}  # fmt: skip


@pytest.fixture(scope="module")
def reference(real_data: Path) -> dict[str, tuple[float, float]]:
    """Consensus value and tolerance, by IBSI's tag without the way to aggregate."""
    with (real_data / "ibsi" / "ibsi_1_dig_phantom_reference.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    found = {}
    for row in rows:
        tag = re.sub("_3D(_avg)?$", "", row["tag"])
        if row["reference value"] and not re.search("_(2D|2_5D|3D)(_|$)", tag):
            found[tag] = (float(row["reference value"]), float(row["tolerance"]))
    return found


@pytest.fixture(scope="module")
def features(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Ours of the phantom, by class and name."""
    paper = RadiomicsSettings.read()
    settings = RadiomicsSettings(
        {
            "setting": {"binWidth": 1},
            "imageType": {"Original": {}},
            "featureClass": paper.parameters["featureClass"],
        }
    )
    folder = real_data / "ibsi"
    case = RadiomicsCase(
        "phantom", (folder / "digital_phantom.nii.gz",), folder / "digital_phantom_mask.nii.gz"
    )
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(case.mask))).sum() == N_VOXELS
    found = extract_case(case, RadiomicsRequest(("CT",), settings))
    assert found.notes == ()
    return {column.removeprefix("CT_original_"): value for column, value in found.features.items()}


def conforms(value: float, reference: tuple[float, float]) -> bool:
    consensus, tolerance = reference
    # A little more than the tolerance: both are decimal numbers.
    return abs(float(f"{value:.3g}") - consensus) <= tolerance + 1e-9 * abs(consensus)


def test_every_feature_is_compared_or_listed_with_the_reason(features: dict[str, float]) -> None:
    assert len(features) == 96
    assert set(features) == {*SAME, *CONVERTED, *NOT_IN_IBSI}
    page = (Path(__file__).parents[2] / "docs" / "radiomics.md").read_text()
    for name in (*CONVERTED, *NOT_IN_IBSI):
        assert f"`{name}`" in page


@pytest.mark.parametrize("name", SAME)
def test_a_feature_that_ibsi_defines_the_same_way_is_within_the_consensus(
    name: str, features: dict[str, float], reference: dict[str, tuple[float, float]]
) -> None:
    assert conforms(features[name], reference[SAME[name]]), (features[name], reference[SAME[name]])


@pytest.mark.parametrize("name", CONVERTED)
def test_a_feature_that_is_defined_otherwise_differs_by_just_that(
    name: str, features: dict[str, float], reference: dict[str, tuple[float, float]]
) -> None:
    tag, convert = CONVERTED[name]
    assert conforms(convert(features[name]), reference[tag])
