"""Pure machine learning: no Prefect, MLflow, SQL or network; writes only where it is told to."""
