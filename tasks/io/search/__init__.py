"""Searches over an agent's fields: optuna chooses, SQL remembers, leases keep workers apart."""
