"""What makes the processes of a load start quickly once Java runs: where pyspark comes from, workers ahead of their tasks.

`train.py` is the run whose classes `batchstream.local.quick_start` archives. docs/speed.md says what each part gives.
"""
