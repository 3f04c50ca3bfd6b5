"""What a Prefect server is told, and the command line."""
