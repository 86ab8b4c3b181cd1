"""The names that nnU-Net's trainer search finds: those of the table of methods, each looked up when asked for.

nnU-Net imports this file under its bare name and forgets it after every search, so nothing may be defined here: a
class that lives in the package is the same object after the next search, and can be pickled.
"""

from nnunetv2_adamss.trainers import __dir__, __getattr__

__all__ = ["__dir__", "__getattr__"]
