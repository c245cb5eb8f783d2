"""Used by pages and by the appendix's quantities until they are moved: sampled coefficients are in `fourier`."""

from hqnn.views.fourier import (
    all_parts,
    coefficients,
    correlation_determinant,
    covariance_spectrum,
    dimension,
    effective_dimension,
    frequencies,
    independent_parts,
    of_first_inputs,
    random_weights,
)

__all__ = [
    "all_parts",
    "coefficients",
    "correlation_determinant",
    "covariance_spectrum",
    "dimension",
    "effective_dimension",
    "frequencies",
    "independent_parts",
    "of_first_inputs",
    "random_weights",
]
