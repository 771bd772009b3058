"""Submissions of one class, honest and not, and the marks that each must get."""

from tests.grade.suite.accidents import ACCIDENTS
from tests.grade.suite.attacks import ATTACKS
from tests.grade.suite.cheats import CHEATS
from tests.grade.suite.honest import HONEST

HOSTILE = [*CHEATS, *ATTACKS, *ACCIDENTS]
EVERYBODY = [*HOSTILE, *HONEST]
