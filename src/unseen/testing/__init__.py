"""Fakes, simulations and conformance suites that we and plug-in authors test with."""
