"""Numbers of scikit-learn for the tests in main.rs, written beside this file as JSON: python make.py

Probabilities are rows of whole numbers over their sum, so that they are short and exact here and there; few different
numbers make ties. Some cases have classes that do not occur, that are never predicted, or both, and one has a single class.
A measure that scikit-learn calls NaN, or warns about because a class does not occur, is null; see `area`.
Not of scikit-learn: `ece` follows Guo et al. 2017 in numpy; `temperatures` are the roots of the loss's slope by scipy's
brentq; `mcnemar` is scipy's binomtest and chi2.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy import optimize, special, stats
from sklearn import metrics

HERE = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")
random = np.random.default_rng(20)


def number(x):
    x = float(x)
    return None if np.isnan(x) else float(f"{x:.14g}")


def numbers(xs):
    return [number(x) for x in xs]


def area(measure, labels, p, k):
    """Of class k against the rest; null where scikit-learn has none: it says 0 for the precision of an absent class."""
    positive = labels == k
    if not positive.any() or (measure is metrics.roc_auc_score and positive.all()):
        return None
    return number(measure(positive, p[:, k]))


def ece(labels, p):
    confidence, right = p.max(1), p.argmax(1) == labels
    edges, total = np.arange(16) / 15, 0.0
    for low, high in zip(edges, edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return number(total)


def case(name, weights, labels):
    p = weights / weights.sum(1, keepdims=True)
    n, classes = p.shape
    predicted = p.argmax(1)
    every = np.arange(classes)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0
    )
    onehot = np.eye(classes)[labels]
    # Its top-k gives ties to the last class; with the classes reversed that is the first.
    top = [
        metrics.top_k_accuracy_score(classes - 1 - labels, p[:, ::-1], k=k, labels=every) if classes > 2 else None
        for k in range(1, classes)
    ]
    return {
        "name": name,
        "classes": classes,
        "weights": weights.astype(int).tolist(),
        "labels": labels.tolist(),
        "confusion": metrics.confusion_matrix(labels, predicted, labels=every).tolist(),
        "accuracy": number(metrics.accuracy_score(labels, predicted)),
        "balanced_accuracy": number(metrics.balanced_accuracy_score(labels, predicted)),
        "precision": numbers(precision),
        "recall": numbers(recall),
        "f1": numbers(f1),
        "macro_f1": number(metrics.f1_score(labels, predicted, average="macro", zero_division=0)),
        "kappa": number(metrics.cohen_kappa_score(labels, predicted)),
        "log_loss": number(metrics.log_loss(labels, p, labels=every)),
        "brier": number(metrics.brier_score_loss(onehot.argmax(1), p, labels=every, scale_by_half=False)),
        "ece": ece(labels, p),
        "top_k": [None if t is None else number(t) for t in top],
        "roc_auc": [area(metrics.roc_auc_score, labels, p, k) for k in every],
        "average_precision": [area(metrics.average_precision_score, labels, p, k) for k in every],
    }


def drawn(n, classes, most, help=0, absent=(), never=()):
    """Weights from 1 to `most`, that of the label larger by `help`; `absent` are no labels, `never` are predicted."""
    labels = random.choice([k for k in range(classes) if k not in absent], size=n)
    weights = random.integers(1, most + 1, size=(n, classes))
    weights[np.arange(n), labels] += help
    weights[:, list(never)] = 0
    return weights, labels


def temperatures():
    cases = []
    for n, classes, scale in [(60, 3, 1), (60, 3, 4), (200, 10, 2), (40, 2, 8)]:
        logits = random.integers(-16, 17, size=(n, classes)) / 8 * scale
        labels = np.array([random.choice(classes, p=special.softmax(row / scale * 1.5)) for row in logits])

        def slope(b):
            return ((special.softmax(b * logits, axis=1) * logits).sum(1) - logits[np.arange(n), labels]).mean()

        t = 1 / optimize.brentq(slope, 1 / 20, 20, xtol=1e-14, rtol=1e-14)
        cases.append({
            "classes": classes,
            "eighths": (logits * 8).astype(int).tolist(),
            "labels": labels.tolist(),
            "temperature": number(t),
            "loss": number(-special.log_softmax(logits / t, axis=1)[np.arange(n), labels].mean()),
        })
    return cases


def mcnemars():
    pairs = [(0, 0), (1, 0), (0, 5), (3, 9), (12, 12), (12, 13), (20, 5), (31, 60), (400, 520), (2, 300)]
    rows = []
    for b, c in pairs:
        if b + c < 25:
            p = stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
        else:
            p = stats.chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), 1)
        rows.append([b, c, number(p)])
    return rows


cases = [
    case("many ties", *drawn(60, 4, 3, help=1)),
    case("few ties", *drawn(60, 5, 1000, help=400)),
    case("two classes", *drawn(50, 2, 6, help=2)),
    case("two classes without ties", *drawn(50, 2, 10**6, help=10**5)),
    case("a class that does not occur", *drawn(40, 4, 5, help=2, absent=[2])),
    case("a class that is never predicted", *drawn(40, 4, 5, help=2, never=[1])),
    case("a class that is nowhere", *drawn(40, 5, 4, help=3, absent=[0], never=[0])),
    case("worse than chance", *drawn(50, 3, 4, help=-1)),
    case("all alike", np.ones((12, 3)), np.arange(12) % 3),
    case("certain, and sometimes wrong", np.eye(3)[[0, 1, 2, 0, 1, 1, 2, 2]], np.array([0, 1, 2, 0, 1, 2, 2, 0])),
    case("a single class, predicted", np.tile([3, 1, 1], (5, 1)), np.zeros(5, int)),
    case("a single class, not predicted", np.tile([3, 1, 1], (5, 1)), np.full(5, 2)),
    case("one example", np.array([[1, 2, 5]]), np.array([1])),
    case("twenty classes", *drawn(300, 20, 30, help=20, absent=[3, 17])),
]
out = {
    "made_with": {"sklearn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
    "cases": cases,
    "temperatures": temperatures(),
    "mcnemar": mcnemars(),
}
text = json.dumps(out, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('{"classes"', '\n{"classes"')
(HERE / "cases.json").write_text(text + "\n")
