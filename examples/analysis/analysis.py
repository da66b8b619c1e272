"""A study as its researchers might write it, in Python's standard library.

    python3 analysis.py DATA OUT

DATA is a folder with employers.csv and cells.csv in the layout of phase two,
OUT a file to which the coefficients are written: term, estimate, std.error.
"""

import csv
import math
import os
import sys
from collections import defaultdict


def read(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def middle(label):
    """The midpoint of a class such as [25000,30000); None where it is open."""
    low, _, high = label.strip("[]()").partition(",")
    return (float(low) + float(high)) / 2 if low and high else None


def workers(text):
    """A head count, or the middle of its class."""
    if text.startswith("["):
        low, high = text.strip("[)").split(",")
        return (float(low) + float(high or 2 * float(low)) - 1) / 2
    return float(text)


def within(x, weight, groups):
    """What is left of x after the weighted means of all groups are taken out."""
    x = list(x)
    for _ in range(200 if len(groups) > 1 else 1):
        moved = 0.0
        for group in groups:
            total, mass = defaultdict(float), defaultdict(float)
            for g, v, w in zip(group, x, weight):
                total[g] += w * v
                mass[g] += w
            mean = {g: total[g] / mass[g] for g in total}
            moved = max(moved, max(map(abs, mean.values())))
            x = [v - mean[g] for v, g in zip(x, group)]
        if moved < 1e-9:
            break
    return x


def slope(y, x, weight, cluster, groups):
    """The slope of y on x with groups absorbed, and its clustered error."""
    if not y:
        return None, None
    y, x = within(y, weight, groups), within(x, weight, groups)
    bread = sum(w * a * a for w, a in zip(weight, x))
    if bread < 1e-9:
        return None, None
    b = sum(w * a * v for w, a, v in zip(weight, x, y)) / bread
    score = defaultdict(float)
    for w, a, v, c in zip(weight, x, y, cluster):
        score[c] += w * a * (v - b * a)
    n = len(score)
    if n < 2:
        return b, None
    return b, math.sqrt(sum(s * s for s in score.values()) * n / (n - 1)) / bread


def main(data, out):
    employers = read(os.path.join(data, "employers.csv"))
    cells = read(os.path.join(data, "cells.csv"))
    firm = {(e["serial"], e.get("year")): e for e in employers}
    high = lambda c: 1.0 if c["level"] >= "L10" and c["level"] != "U" else 0.0

    # What does higher education earn, within a year?
    rows = []
    for c in cells:
        wage = middle(c.get("wage_class", "") or "[,)")
        if wage and wage > 0:
            weight = workers(c["workers"]) * float(firm[c["serial"], c.get("year")].get("design_weight") or 1)
            rows.append((math.log(wage), high(c), weight, c["serial"], c.get("year")))
    y, x, w, unit, year = map(list, zip(*rows)) if rows else ([], [], [], [], [])
    terms = [("wage premium of higher education", *slope(y, x, w, unit, [year]))]

    # What does automation do to staff, and to staff with higher education?
    staff, skilled = defaultdict(float), defaultdict(float)
    for c in cells:
        k = c["serial"], c.get("year")
        staff[k] += workers(c["workers"])
        skilled[k] += workers(c["workers"]) * high(c)
    total, years = defaultdict(float), defaultdict(int)
    for (s, _), n in staff.items():
        total[s] += n
        years[s] += 1
    for name, what in (("automation: head count", staff), ("automation: higher education", skilled)):
        y, x, w, unit, year = [], [], [], [], []
        for k in sorted(staff):
            e = firm[k]
            event = e.get("event_year") or ""
            if not event and e.get("group") != "control":
                continue
            y.append(what[k] * years[k[0]] / total[k[0]])
            x.append(1.0 if event and int(k[1]) >= int(event) else 0.0)
            w.append(float(e.get("design_weight") or 1))
            unit.append(k[0])
            year.append(k[1])
        terms.append((name, *slope(y, x, w, unit, [unit, year])))

    with open(out, "w", newline="", encoding="utf-8") as f:
        table = csv.writer(f)
        table.writerow(["term", "estimate", "std.error"])
        for term in terms:
            table.writerow(["NA" if v is None else v for v in term])


if __name__ == "__main__":
    main(*sys.argv[1:3])
