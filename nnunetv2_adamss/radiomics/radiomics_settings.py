"""Settings of the extraction: pyradiomics' own parameter file, and settings that differ between channels."""

import hashlib
import json
import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from radiomics import getFeatureClasses, getImageTypes
from radiomics.featureextractor import RadiomicsFeatureExtractor

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.radiomics.setting_values import impossible_values
from nnunetv2_adamss.radiomics.settings_file import read_settings_file

# choice: the paper gives the features, but neither voxel size nor bin width.
PAPER_SETTINGS = Path(__file__).with_name("paper.yaml")
# By ``SurvivalConfig.radiomics``.
SHIPPED_SETTINGS = {"all": PAPER_SETTINGS, "first_order": Path(__file__).with_name("first_order.yaml")}
CHANNEL_SETTING = "channelSetting"
_KEYS = ("setting", "imageType", "featureClass", CHANNEL_SETTING)
# Every region is handed to pyradiomics as a mask of its own, in which it is 1.
_NOT_FOR_USERS = ("label", "label_channel")
# pyradiomics lists every wavelet that exists.
_LONGEST_MESSAGE = 120


@dataclass(frozen=True)
class RadiomicsSettings:
    """The checked content of a parameter file.

    Args:
        parameters: ``setting``, ``imageType`` and ``featureClass`` as pyradiomics has them.
        channel_setting: values that replace those of ``setting``, by channel name.
        name: of the file, for messages.

    Raises:
        ValueError: naming everything that pyradiomics does not know or allow.
    """

    parameters: Mapping[str, Any]
    channel_setting: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = "settings"

    def __post_init__(self) -> None:
        faults = _not_by_name(self.parameters) or [
            *_unknown_names(self.parameters),
            *_misplaced(self.parameters, self.channel_setting),
        ]
        faults = faults or [
            fault
            for where, values in _sections(self.parameters, self.channel_setting).items()
            for fault in impossible_values(values, where)
        ]
        for channel in [] if faults else [None, *self.channel_setting]:
            faults += _refused_by_pyradiomics(self._merged(channel), channel)
        if faults:
            raise ValueError(f"The radiomics settings in {self.name} are not valid: {'; '.join(faults)}.")

    @classmethod
    def read(cls, file: Path = PAPER_SETTINGS) -> "RadiomicsSettings":
        """Read a YAML or JSON file; the default holds the paper's features.

        Raises:
            ValueError: if the file does not exist, is not YAML, or holds what pyradiomics refuses.
        """
        content = read_settings_file(file)
        if not isinstance(content, dict):
            raise ValueError(f"{file} holds no radiomics settings; it needs keys such as {', '.join(_KEYS)}.")
        channel_setting = content.pop(CHANNEL_SETTING, None) or {}
        if not isinstance(channel_setting, dict) or not all(
            isinstance(values, dict) for values in channel_setting.values()
        ):
            raise ValueError(
                f"{CHANNEL_SETTING} of {file} must hold settings by channel name, such as 'PET: {{binWidth: 0.25}}'."
            )
        return cls(content, channel_setting, str(file))

    def check_channels(self, channels: Iterable[str]) -> None:
        """Raise ValueError if a channel has no bins of its own: 25, pyradiomics' default, is far off for SUV."""
        without = [
            channel
            for channel in channels
            if all(self._merged(channel)["setting"].get(name) is None for name in ("binWidth", "binCount"))
        ]
        if without:
            raise ValueError(
                f"{self.name} does not say how to discretise {listed(without)}. Add 'binWidth' (in the image's unit) "
                f"or 'binCount' to {CHANNEL_SETTING} under the channel's name, or to setting for all channels."
            )

    def of_channel(self, channel: str) -> dict[str, Any]:
        """The parameters of one channel, in pyradiomics' own format."""
        return self._merged(channel)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data in the format of the file."""
        return {**self.parameters, CHANNEL_SETTING: {c: dict(v) for c, v in self.channel_setting.items()}}

    def sha256(self) -> str:
        """Hash of the settings; the same for files that differ in comments and order only."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def _merged(self, channel: str | None) -> dict[str, Any]:
        own = self.channel_setting.get(channel, {}) if channel is not None else {}
        # pyradiomics uses its default only for a section that is left out. Copied, since it completes others.
        merged: dict[str, Any] = {k: json.loads(json.dumps(v)) for k, v in self.parameters.items() if v}
        # pyradiomics' information about its input is not a feature.
        merged["setting"] = {**merged.get("setting", {}), **own, "additionalInfo": False}
        return merged


@contextmanager
def quiet_pyradiomics() -> Iterator[None]:
    """Silence pyradiomics' messages and warnings: of deprecated features of each image, of divisions by zero."""
    loggers = [logging.getLogger(name) for name in ("radiomics", "pykwalify.core", "pykwalify.rule")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _not_by_name(parameters: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} must hold values by name"
        for key in ("setting", "imageType", "featureClass")
        if not isinstance(parameters.get(key) or {}, Mapping)
    ]


def _unknown_names(parameters: Mapping[str, Any]) -> list[str]:
    faults = [_unknown("key", key, _KEYS) for key in parameters if key not in _KEYS]
    image_types, feature_classes = (parameters.get(key) or {} for key in ("imageType", "featureClass"))
    faults += [
        _unknown("image type", name, getImageTypes()) for name in image_types if name not in getImageTypes()
    ]
    for name, features in feature_classes.items():
        if name not in getFeatureClasses():
            faults.append(_unknown("feature class", name, getFeatureClasses()))
        elif features is not None and not isinstance(features, list):
            faults.append(f"the features of {name} must be a list, or nothing for all")
        else:
            known = getFeatureClasses()[name].getFeatureNames()
            faults += [_unknown(f"{name} feature", f, known) for f in features or [] if f not in known]
    return faults


def _unknown(what: str, name: object, known: Iterable[str]) -> str:
    names = sorted(known)
    close = get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
    return f"there is no {what} '{name}' ({hint})"


def _misplaced(parameters: Mapping[str, Any], channel_setting: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"'{name}' in {where} is not for this file: masks and labels are chosen by the command"
        for where, values in _sections(parameters, channel_setting).items()
        if where != "imageType"
        for name in _NOT_FOR_USERS
        if name in values
    ]


def _sections(
    parameters: Mapping[str, Any], channel_setting: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The parts of a file that hold values of settings, by name."""
    return {
        **{name: parameters.get(name) or {} for name in ("setting", "imageType")},
        **{f"{CHANNEL_SETTING} {channel}": values for channel, values in channel_setting.items()},
    }


def _refused_by_pyradiomics(parameters: dict[str, Any], channel: str | None) -> list[str]:
    said = _pyradiomics_error(json.dumps(parameters, default=repr))
    if not said:
        return []
    where = "" if channel is None else f"{CHANNEL_SETTING} {channel}: "
    found = re.findall(r"- (.*?)\.? (?:Value path|Path): '(.*?)'", said)
    return [f"{where}{what} (in {path})" for what, path in found] or [where + said[:_LONGEST_MESSAGE]]


@lru_cache
def _pyradiomics_error(parameters: str) -> str:
    """Ask pyradiomics why it refuses parameters, given as JSON; empty if it accepts them. Cached: it is slow."""
    try:
        with quiet_pyradiomics():
            RadiomicsFeatureExtractor(json.loads(parameters))
    # pykwalify has exceptions of its own, and pyradiomics' checks raise several.
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""
