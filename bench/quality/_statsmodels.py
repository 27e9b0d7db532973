"""The rival of bench/quality/certain: statsmodels with all data in one place. Runs in an environment of its own.

One request per line: {"family": …, "data": FILE.npz}; the answer has weights, standard errors and p-values, the intercept last.
"""

import json
import sys
import warnings

import numpy as np
import statsmodels.api as sm

FAMILIES = {"logistic": sm.families.Binomial, "poisson": sm.families.Poisson}


def main() -> None:
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        request = json.loads(line)
        with np.load(request["data"], allow_pickle=False) as file:
            x, y = file["x"], file["y"]
        full = np.column_stack([x, np.ones(len(x))])
        if request["family"] == "linear":
            made = sm.OLS(y, full).fit()
        else:
            made = sm.GLM(y, full, family=FAMILIES[request["family"]]()).fit(tol=1e-12, maxiter=200)
        told = {"weights": made.params, "errors": made.bse, "p_values": made.pvalues}
        print(
            json.dumps({name: json.dumps(np.asarray(item).tolist()) for name, item in told.items()}),
            flush=True,
        )


if __name__ == "__main__":
    main()
