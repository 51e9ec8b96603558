"""What the files of a checkout say, and what is wrong with them."""
