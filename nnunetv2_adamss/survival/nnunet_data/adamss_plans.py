"""The name of the plan that this package recommends; a file of its own, since commands need it before heavy imports."""

# The copy of nnU-Net's default plan that adamss_set_normalization writes: CT and PET are normalised as in the paper.
ADAMSS_PLANS = "AdaMSSPlans"
