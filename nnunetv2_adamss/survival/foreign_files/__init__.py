"""Checks of files that others may have written and nnU-Net opens without a check: models, plans, cases."""
