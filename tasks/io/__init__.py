"""The only code with side effects: sources, snapshots, registry, ledger, processes, report."""
