"""Pretraining on plain texts: masking, packing, the training loop, and perplexity on held-out texts."""
