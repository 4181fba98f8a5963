"""Writes logistic.json: logistic and multinomial regressions as statsmodels finds them (pip install statsmodels)."""
import json
import numpy as np
import statsmodels
import statsmodels.api as sm

OUT = {"statsmodels": statsmodels.__version__, "cases": []}


def case(name, x, y):
    x = np.asarray(x, float)
    design = sm.add_constant(x, has_constant="add")
    classes = int(y.max()) + 1
    model = sm.Logit(y, design) if classes == 2 else sm.MNLogit(y, design)
    fit = model.fit(method="newton", tol=1e-14, maxiter=200, disp=0)
    params, errors = np.asarray(fit.params), np.asarray(fit.bse)
    if classes == 2:
        params, errors = params[:, None], errors[:, None]
    OUT["cases"].append({
        "name": name, "x": x.tolist(), "y": y.tolist(), "classes": classes,
        "coefficients": params.T.tolist(), "standard_errors": errors.T.tolist(),
        "cost": float(-fit.llf / len(y)),
    })


rng = np.random.default_rng(5)
for name, n, d, classes, scale in [("two classes", 60, 3, 2, 1.0), ("three classes", 90, 2, 3, 1.0),
                                   ("five classes", 200, 4, 5, 1.0), ("large units", 80, 2, 2, 1e5)]:
    x = rng.normal(size=(n, d)) * scale + 3 * scale
    truth = rng.normal(size=(d + 1, classes)) / np.r_[1.0, np.full(d, scale)][:, None]
    z = np.c_[np.ones(n), x - 3 * scale] @ truth
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    y = np.array([rng.choice(classes, p=row) for row in p])
    case(name, np.round(x, 6), y)
json.dump(OUT, open("logistic.json", "w"), indent=0)
