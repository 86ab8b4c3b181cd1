from pathlib import Path

import pytest

from nnunetv2_adamss.common.json_object import parse_object, read_known_object, read_object


def write(folder: Path, text: str) -> Path:
    file = folder / "a.json"
    file.write_text(text)
    return file


def test_an_object_with_what_is_needed_is_returned(tmp_path: Path) -> None:
    file = write(tmp_path, '{"name": "x", "n": 1, "more": null}')
    assert read_object(file, name=str, n=(int, float)) == {"name": "x", "n": 1, "more": None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("null", "holds null, but an object was expected"),
        ("[]", "holds a list, but an object"),
        ("true", "holds true or false, but"),
        ("1.5", "holds a number, but"),
        ('{"name": 1}', "missing or not usable: n, name"),
        ('{"name": "x", "n": true}', "missing or not usable: n"),
    ],
)
def test_anything_else_is_one_sentence_that_names_the_file(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=rf"a\.json .*{words}"):
        read_known_object(write(tmp_path, text), {"name": str, "n": int}, ("n",))


def test_entries_are_looked_for_below_others(tmp_path: Path) -> None:
    file = write(tmp_path, '{"settings": {"seed": "x"}}')
    for kinds, needed in (({}, ["settings.epochs"]), ({"settings.seed": int}, [])):
        with pytest.raises(ValueError, match="not usable: settings."):
            read_known_object(file, kinds, needed)
    assert read_known_object(file, {"settings.epochs": int, "seed.x": int}, ["settings.seed"])


@pytest.mark.parametrize("content", ["{}", '{"a": [1]}', '{"a": {"b": 0}}', '{"a": {"b": "x"}}'])
def test_whatever_is_wrong_when_an_object_is_taken_apart_names_the_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(ValueError, match=r"a\.json is damaged .*\. Make it again\.$"):
        parse_object(write(tmp_path, content), lambda found: 1 / found["a"]["b"], "Make it again.")
