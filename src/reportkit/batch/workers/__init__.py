"""Workers that make the reports of a batch: processes of this machine, or a dask cluster."""
