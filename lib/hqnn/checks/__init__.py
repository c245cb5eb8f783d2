"""How claims are evaluated: one function per kind of claim, named in the ledger.

Every evaluator takes the claim, what there is to judge it by, and the row's arguments as keywords; it returns a
judgement by the rules of `hqnn.verdicts`. It raises `Missing` when the records or the analysis it needs do not exist
yet. Accuracies are percentages throughout, as the papers print them. Evaluators that any paper can use are in `shared`,
those of one paper's own claims in the module of that name.
"""

from hqnn import papers
from hqnn.checks import shared
from hqnn.checks.registry import EVALUATORS, Context, judge, validate
from hqnn.verdicts import Missing

__all__ = ["EVALUATORS", "Context", "Missing", "judge", "shared", "validate"]

list(papers.modules("checks"))  # registers their evaluators
