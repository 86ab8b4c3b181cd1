"""The error of a trainer that finds a network which is not its own, such as in a copied checkpoint."""

from typing import Any


def other_network(network: Any, *kinds: type) -> ValueError:
    """The error to raise.

    Args:
        network: that is there, or what it gave.
        kinds: that the trainer knows.
    """
    expected = " or ".join(kind.__name__ for kind in kinds)
    return ValueError(
        f"This trainer works with {expected}, not with {type(network).__name__}. The checkpoint holds the "
        "network of another trainer, or the recipe of your own trainer names another network. Train with the "
        "trainer that began the training."
    )
