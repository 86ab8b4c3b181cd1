"""How much a message names."""

from nnunetv2_adamss.common.messages import listed, quoted, shortened


def test_five_names_are_listed_and_more_are_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e, ... (7 in all)"


def test_a_long_value_is_shown_by_its_beginning_and_its_length() -> None:
    assert shortened("x" * 60) == "x" * 60 and quoted("x" * 60) == f"'{'x' * 60}'"
    assert shortened("x" * 61) == f"{'x' * 20}... (61 characters)"
    assert quoted(10**99) == "'10000000000000000000...' (100 characters)"
