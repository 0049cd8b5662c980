"""Other people's tools, each with what its own documentation recommends; nothing of them is installed but by the benchmark.

Those whose process ends by itself are timed from its start to its end. Kafka Connect runs for ever: its clock stops when its
table holds all records (looked at every 0.2 s), and the process is ended afterwards.
"""
