"""A model's few features, extracted without the others, are the same numbers."""

import json
from pathlib import Path

import pytest

from nnunetv2_adamss.radiomics.extract_case import extract_case
from nnunetv2_adamss.radiomics.needed_features import only_needed
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings
from nnunetv2_adamss.radiomics.request import Extras, RadiomicsRequest
from tests.radiomics.phantoms import ball, write_case

COLUMNS = ["PET_wavelet-LLH_glcm_Contrast", "CT_original_firstorder_Mean", "shape_Sphericity"]


def test_features_that_are_extracted_alone_are_the_same_as_among_all_others(tmp_path: Path) -> None:
    case = write_case(tmp_path, "case", ball((24, 26, 28), (12, 12, 14), 6))
    request = RadiomicsRequest(("CT", "PET"), RadiomicsSettings.read())
    every = extract_case(case, request).features
    few = extract_case(case, only_needed(request, COLUMNS)).features
    assert {name: few[name] for name in COLUMNS} == {name: every[name] for name in COLUMNS}
    assert len(few) < len(every) / 20
    assert {name: every[name] for name in few} == few


def test_a_filter_that_no_feature_needs_is_left_out() -> None:
    request = only_needed(RadiomicsRequest(("CT", "PET"), RadiomicsSettings.read()), COLUMNS[1:2])
    assert request.settings.parameters["imageType"] == {"Original": {}}
    assert request.settings.parameters["featureClass"] == {"firstorder": ["Mean"]}


def test_features_of_a_shell_or_lesion_count_as_those_of_the_tumour() -> None:
    everything = RadiomicsRequest(("CT", "PET"), RadiomicsSettings.read(), extras=Extras(shell_mm=5))
    request = only_needed(everything, ["shell.shape_Sphericity", "shell.PET_original_glcm_Id"])
    assert request.settings.parameters["featureClass"] == {"shape": ["Sphericity"], "glcm": ["Id"]}
    assert request.extras == everything.extras
    assert only_needed(everything, ["lesions.count"]) == everything


@pytest.mark.parametrize("extras", [Extras(), Extras(per_label=True, shell_mm=3.0)])
def test_a_request_comes_back_whole_from_plain_data(extras: Extras) -> None:
    request = RadiomicsRequest(("CT", "PET"), RadiomicsSettings.read(), {"node": (2,)}, 3, extras)
    again = RadiomicsRequest.from_dict(json.loads(json.dumps(request.to_dict())))
    assert again.to_dict() == request.to_dict()
    assert again.sha256() == request.sha256()
