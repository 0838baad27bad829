"""Hypothesis as these tests need it."""

import os

from hypothesis import settings

# No deadline: examples make event loops and threads, whose time is the machine's affair. The
# same examples in every run of the CI, other ones in every run of a developer's.
settings.register_profile("callboard", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("callboard")
