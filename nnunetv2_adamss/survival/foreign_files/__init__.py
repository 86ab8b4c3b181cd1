"""The doors for files that a stranger may have written and nnU-Net opens without a check: models, plans, cases."""
