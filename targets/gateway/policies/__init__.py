"""The gateway's policies, one a file: pure, told the time and what happened. Values and sources: `docs/policies.md`."""
