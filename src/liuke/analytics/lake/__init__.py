"""The lake: purchases as Parquet files, and what every night makes of them. Files alone, see README.md."""
