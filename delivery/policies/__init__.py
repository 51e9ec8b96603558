"""The rules that the objects of a stage must keep, and what they find."""
