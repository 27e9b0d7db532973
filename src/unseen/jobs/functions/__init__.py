"""Functions on secret arrays that are shipped: one file each, with a `FUNCTION` (:mod:`unseen.jobs.function`)."""
