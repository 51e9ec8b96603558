"""Makes the source of the view product_reviews: `python product_reviews.py CSV PARQUET TIME`, by Feast's own Python.

It stands in for whoever counts the reviews in a system that runs; the counts are invented.
"""

import sys

import pandas

table, output, time = sys.argv[1:]
counts = pandas.read_csv(table)
counts["event_timestamp"] = pandas.Timestamp(time)
counts.to_parquet(output)
