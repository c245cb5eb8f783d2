"""Measurements of speed, beside other people's code; nothing in the library or its tests depends on them."""
