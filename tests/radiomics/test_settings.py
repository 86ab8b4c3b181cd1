"""Parameter files: the shipped one, and what is refused."""

from pathlib import Path

import pytest
from radiomics.featureextractor import RadiomicsFeatureExtractor

from nnunetv2_adamss.radiomics.settings import PAPER_SETTINGS, RadiomicsSettings, quiet_pyradiomics


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
        ("a: [", "is not a YAML file that can be read"),
        ("- 1", "holds no radiomics settings"),
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


def test_a_channel_whose_unit_nobody_named_is_not_discretised_by_a_default() -> None:
    with pytest.raises(ValueError, match="does not say how to discretise MR. Add 'binWidth'"):
        RadiomicsSettings.read().check_channels(["CT", "MR"])
