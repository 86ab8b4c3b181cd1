"""Parameter files: the shipped one, and what is refused."""

from pathlib import Path

import pytest
from radiomics.featureextractor import RadiomicsFeatureExtractor

from nnunetv2_adamss.radiomics.extract_case import _region_features
from nnunetv2_adamss.radiomics.radiomics_settings import PAPER_SETTINGS, RadiomicsSettings, quiet_pyradiomics
from nnunetv2_adamss.radiomics.request import RadiomicsRequest
from tests.radiomics.phantoms import ball, image_of, pet_ct


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.yaml"
    file.write_text(text)
    return file


def test_the_shipped_settings_are_those_of_the_paper() -> None:
    settings = RadiomicsSettings.read()
    settings.check_channels(["CT", "PET"])
    ct, pet = (settings.of_channel(channel) for channel in ("CT", "PET"))
    assert (ct["setting"]["binWidth"], pet["setting"]["binWidth"]) == (25, 0.25)
    assert ct["setting"]["resampledPixelSpacing"] == [1, 1, 1]
    counts = {name: len(features) for name, features in ct["featureClass"].items()}
    assert counts == {"shape": 16, "firstorder": 19, "glcm": 24, "glrlm": 16, "glszm": 16, "ngtdm": 5}
    assert {k: v for k, v in ct.items() if k != "setting"} == {k: v for k, v in pet.items() if k != "setting"}


def test_without_what_differs_between_channels_the_file_is_one_that_pyradiomics_reads(tmp_path: Path) -> None:
    text = PAPER_SETTINGS.read_text()
    start, end = text.index("channelSetting:"), text.index("imageType:")
    file = written(tmp_path, text[:start] + text[end:])
    with quiet_pyradiomics():
        extractor = RadiomicsFeatureExtractor(str(file))
    assert list(extractor.enabledImagetypes) == ["Original", "Wavelet"]
    assert RadiomicsSettings.read(file).of_channel("CT")["featureClass"] == extractor.enabledFeatures


def test_the_hash_is_of_what_is_set_and_not_of_how_it_is_written(tmp_path: Path) -> None:
    settings = RadiomicsSettings.read(written(tmp_path, "setting: {binWidth: 5, padDistance: 3}\n"))
    same = RadiomicsSettings.read(written(tmp_path, "# other\nsetting:\n  padDistance: 3\n  binWidth: 5\n"))
    other = RadiomicsSettings.read(written(tmp_path, "setting: {binWidth: 6, padDistance: 3}\n"))
    assert settings.sha256() == same.sha256() != other.sha256()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "featureClass: {firstorder: [Meen, Mean], glcn: }\nimageType: {wavelet: {}}",
            r"no image type 'wavelet' \(did you mean Wavelet\?\); .*no firstorder feature 'Meen' \(did you mean Mean"
            r"\?\); there is no feature class 'glcn' \(did you mean glcm\?\)",
        ),
        ("setting: {binWidht: 3}", "Key 'binWidht' was not defined"),
        ("setting: {binWidth: -3}", "binWidth"),
        (
            "channelSetting: {PET: {binWidth: small}}",
            "channelSetting PET: Value 'small' is not of type 'float'",
        ),
        ("channelSetting: {PET: 0.25}", "must hold settings by channel name"),
        ("setting: {label: 2}", "'label' in setting is not for this file"),
        ("voxelSetting: {kernelRadius: 2}", "no key 'voxelSetting'"),
        ("imageType: {Wavelet: {wavelet: haarr}}", "haarr"),
        ("imageType: {Wavelet: }", "imageType/Wavelet"),
        ("featureClass: {glcm: Contrast}", "features of glcm must be a list"),
        ("setting: 3", "must hold values by name"),
        ("a: [", "cannot be read as YAML with radiomics settings"),
        ("- 1", "holds no radiomics settings"),
        ("setting: " + "[" * 5000, "nested too deeply"),
        ("{setting: " * 11 + "1" + "}" * 11, "nested more than 10 levels deep"),
        ("setting: &a {binWidth: 1, other: *a}", "nested more than 10 levels deep"),
        (
            f"setting: {{binWidth: {'7' * 5000}}}",
            r"line 1 has a number of 5,000 digits \(77777777777777777777\.\.\.",
        ),
        (f"setting:\n  binWidth: {'7' * 5000}.5", "line 2 has a number of 5,000 digits"),
        ("setting: {binWidth: 2020-13-45}", "month must be in 1..12"),
        ("setting: {2020-01-01: 3}", "2020-01-01 stands where a name is expected"),
        (
            "setting: {binWidth: 1e-9}",
            "binWidth in setting is the text '1e-9'; write a number without quotes",
        ),
        ("setting: {binWidth: 0}", "binWidth in setting is 0, but must be above 0, such as 25 for HU"),
        ("setting: {binWidth: .nan}", "binWidth in setting is nan, but must be a finite number"),
        ("imageType: {Wavelet: {binWidth: -2}}", "binWidth in imageType Wavelet is -2, but must be above 0"),
        (
            "channelSetting: {PET: {binCount: 0}}",
            "binCount in channelSetting PET is 0, but must be from 1 to 10,000",
        ),
        ("setting: {binCount: 1000000000}", r"binCount in setting is 1e\+09, but must be from 1 to 10,000"),
        (
            "setting: {resampledPixelSpacing: [1, 1]}",
            r"is \[1, 1\], but must be three numbers of millimetres",
        ),
        (
            "setting: {resampledPixelSpacing: [-1, 1, 1]}",
            r"resampledPixelSpacing in setting is \[-1, 1, 1\], but must",
        ),
        ("setting: {resampledPixelSpacing: [1.0e-9, 1, 1]}", r"is \[1e-09, 1, 1\], but must .* 0.01"),
        (
            f"setting: {{binCount: 0x{'f' * 300}}}",
            r"binCount in setting is \d{40}, but must be a finite number",
        ),
        ("setting: {resegmentRange: [0, .nan]}", "resegmentRange 2 in setting is nan"),
    ],
)
def test_what_pyradiomics_does_not_know_is_said_in_a_sentence(
    tmp_path: Path, text: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        RadiomicsSettings.read(written(tmp_path, text))
    assert "settings.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file of radiomics settings .*absent.yaml"):
        RadiomicsSettings.read(tmp_path / "absent.yaml")


def test_a_channel_without_a_unit_is_not_discretised_by_a_default() -> None:
    with pytest.raises(ValueError, match="does not say how to discretise MR. Add 'binWidth'"):
        RadiomicsSettings.read().check_channels(["CT", "MR"])


@pytest.mark.parametrize(
    "text",
    [
        "setting: {binWidth: 1, resampledPixelSpacing: [0, 0, 1.5]}",
        "setting: {binWidth: 0.001, resampledPixelSpacing: }",
        "setting: {binWidth: , binCount: 32}",
        "setting: {binWidth: 2, resegmentRange: [0, .inf]}",
        "setting: {binWidth: 2, weightingNorm: infinity}",
    ],
)
def test_values_that_pyradiomics_has_a_meaning_for_are_kept(text: str, tmp_path: Path) -> None:
    RadiomicsSettings.read(written(tmp_path, text)).check_channels(["CT"])


def test_bins_beyond_the_memory_are_refused_where_the_intensities_are_known(tmp_path: Path) -> None:
    settings = RadiomicsSettings.read(
        written(tmp_path, "setting: {binWidth: 1.0e-9}\nfeatureClass: {firstorder: [Mean]}")
    )
    region = ball((9, 9, 9), (4, 4, 4), 3)
    images = [image_of(array) for array in pet_ct(region)]
    sentence = (
        r"CT: values from -?\d+ to \d+ in bins of 1e-09 \(binWidth\) make .*e\+11 bins, but at most 10,000 .*"
        r"16 to 128 are usual, so binWidth should be .*settings.yaml"
    )
    with quiet_pyradiomics(), pytest.raises(ValueError, match=sentence):
        _region_features(images, region, RadiomicsRequest(("CT", "PET"), settings))
