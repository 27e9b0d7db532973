"""Make columns fit for modelling."""
