"""For all tests: an example of hypothesis has no time limit, because a busy machine is no fault of the code."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("brownout", deadline=None)
settings.load_profile("brownout")
