"""What makes Spark's JVM start quickly: a Spark without unused jars, and Java's archive of the classes that a load needs.

Both are made on a machine or in an image before any load starts. What the processes of a load do to start quickly is in
`batchstream.spark.quick_start`, as it needs pyspark, which nothing of this room imports. docs/speed.md says what each part gives.
"""
