"""The error of a trainer that gets the network of another trainer, such as from a copied checkpoint."""

from typing import Any


def other_network(network: Any, *kinds: type) -> ValueError:
    """Make the error for a network of another trainer.

    Args:
        network: the network, or its output.
        kinds: the classes that the trainer works with.
    """
    expected = " or ".join(kind.__name__ for kind in kinds)
    return ValueError(
        f"This trainer works with {expected}, not with {type(network).__name__}. The checkpoint holds the "
        "network of another trainer, or the recipe of your own trainer names another network. Train with the "
        "trainer that began the training."
    )
