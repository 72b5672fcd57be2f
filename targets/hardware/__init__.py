"""Hardware profiles: a model on the chips of one replica, and what a step of the engine costs there.

profile     a profile, its reader, and the list of those that ship
step_cost   the cost of an engine step: coefficients and formula
*.yaml      the profiles that ship, one a file; `source` says which figures are fitted, derived or assumed, and
            `docs/fidelity.md` has the remaining errors
"""
