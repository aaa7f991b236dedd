"""How much is walked where there is little time."""

import os

STEP = 3 if os.environ.get("CI") else 1
"""On a machine of continuous integration (CI is set) every third of what is many and alike; elsewhere every one."""
