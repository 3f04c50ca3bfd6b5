"""Meta-training: a start, learned over many episodes, from which a handful of labels is enough."""
