"""One file per step: parameters, disclosures, estimate, run."""
