"""AdaMSS: survival prediction from PET/CT inside nnU-Net."""
