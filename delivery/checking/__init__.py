"""Checks the files of a checkout, and shows the configuration that results from them."""
