"""The tests: each package of the code has its mirror here; `support/` holds what they share."""
