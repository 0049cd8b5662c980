"""The contract: the only place that names a column."""
