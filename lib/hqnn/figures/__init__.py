"""Figures in one house style, from a few primitives.

A drawing function takes axes and arrays and returns the axes; it saves and shows nothing. A notebook shows a finished
figure with `show`, which gives it its alternative text and its caption. What only one paper draws is in `figures.py` of
that paper, beside the names and colours of its models.
"""

# ruff: noqa: F403
from hqnn.figures.models import *
from hqnn.figures.pipeline import *
from hqnn.figures.primitives import *
from hqnn.figures.quantum import *
from hqnn.figures.theme import *
