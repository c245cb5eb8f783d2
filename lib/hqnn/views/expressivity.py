"""Used by pages and by the checks of the appendix until they are moved: sampled coefficients are in `fourier`."""

from hqnn.views.fourier import (
    all_parts as all_parts,
)
from hqnn.views.fourier import (
    coefficients as coefficients,
)
from hqnn.views.fourier import (
    correlation_determinant as correlation_determinant,
)
from hqnn.views.fourier import (
    covariance_spectrum as covariance_spectrum,
)
from hqnn.views.fourier import (
    dimension as dimension,
)
from hqnn.views.fourier import (
    effective_dimension as effective_dimension,
)
from hqnn.views.fourier import (
    frequencies as frequencies,
)
from hqnn.views.fourier import (
    independent_parts as independent_parts,
)
from hqnn.views.fourier import (
    of_first_inputs as of_first_inputs,
)
from hqnn.views.fourier import (
    random_weights as random_weights,
)
