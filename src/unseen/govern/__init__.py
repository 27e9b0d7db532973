"""Contracts, policies, audit, reports: what may happen and what is said about it."""
