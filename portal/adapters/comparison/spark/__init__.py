"""The comparison on a Spark cluster, for what one machine would not compare in time.

`cluster` begins and ends Spark's application, `tasks` are what its machines do, `parcels` how records travel between
them, and `engine` the port. Only `cluster` knows Spark.
"""

from portal.adapters.comparison.spark.engine import SparkComparison

__all__ = ["SparkComparison"]
