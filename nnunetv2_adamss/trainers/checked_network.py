"""Check that a trainer gets a network that it works with, and not one such as from a copied checkpoint."""

from typing import TypeVar

_Network = TypeVar("_Network")


def checked_network(network: object, kind: type[_Network]) -> _Network:
    """Return a network, or its output, that is of a kind.

    Raises:
        ValueError: if it is of another kind.
    """
    if not isinstance(network, kind):
        raise ValueError(
            f"This trainer works with {kind.__name__}, not with {type(network).__name__}. The checkpoint holds the "
            "network of another trainer, or the recipe of your own trainer names another network. Train with the "
            "trainer that began the training."
        )
    return network
