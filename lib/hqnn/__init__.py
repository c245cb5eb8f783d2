"""A thin library that re-runs three hybrid quantum-classical image classification papers, claim by claim."""

__version__ = "0.1.0"
