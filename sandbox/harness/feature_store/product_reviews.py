"""Makes the source of the view product_reviews: `python product_reviews.py CSV PARQUET TIME...`, by Feast's own Python.

It replaces the part of a real system that counts the reviews; the counts are invented. Each product has a row for each
time: the counts of the table at the last one, one less at the time before, and so on.
"""

import sys

import pandas

table, output, *times = sys.argv[1:]
rows = []
for less, time in enumerate(reversed(times)):
    counts = pandas.read_csv(table, index_col="product_id").sub(less).clip(lower=0).reset_index()
    counts["event_timestamp"] = pandas.Timestamp(time)
    rows.append(counts)
pandas.concat(rows).to_parquet(output)
