"""Survival and tests between groups as books define them: slow, a step at a time."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb, prod

import numpy as np


def slow_kaplan_meier(time, happened):
    """Return (time, share that has converted, at risk, converted) rows, shares as fractions."""
    rows, waiting = [], Fraction(1)
    for at in sorted(set(time)):
        at_risk = sum(1 for other in time if other >= at)
        converted = sum(1 for other, did in zip(time, happened, strict=True) if did and other == at)
        waiting *= 1 - Fraction(converted, at_risk)
        rows.append((at, 1 - waiting, at_risk, converted))
    return rows


def slow_incidence(time, end, number):
    """Return the share that has come to an end by each distinct time, and its variance."""
    waiting, share, steps, found = 1.0, 0.0, [], []
    for at in sorted(set(time)):
        n = sum(1 for other in time if other >= at)
        ended = [which for other, which in zip(time, end, strict=True) if other == at and which]
        d, mine = len(ended), ended.count(number)
        share += waiting * mine / n
        steps.append((n, d, mine, waiting, share))
        waiting *= 1 - d / n
        variance = 0.0
        for risk, all_ends, my_ends, before, then in steps:
            if share != then:
                variance += (share - then) ** 2 * all_ends / (risk * (risk - all_ends))
            variance += before**2 * my_ends * (risk - my_ends) / risk**3
            variance -= 2 * (share - then) * before * my_ends / risk**2
        found.append((share, variance))
    return found


def slow_log_rank(time, happened, group):
    """Return the log-rank statistic, with the first group left out of the covariance."""
    groups = sorted(set(group))
    excess, covariance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for at in sorted({t for t, did in zip(time, happened, strict=True) if did}):
        rows = [(t, did, g) for t, did, g in zip(time, happened, group, strict=True) if t >= at]
        n, d = len(rows), sum(1 for t, did, _ in rows if did and t == at)
        for i, one in enumerate(groups):
            n_one = sum(1 for row in rows if row[2] == one)
            d_one = sum(1 for t, did, g in rows if did and t == at and g == one)
            excess[i] += d_one - d * n_one / n
            for j, other in enumerate(groups):
                n_other = sum(1 for row in rows if row[2] == other)
                if n > 1:
                    weight = d * (n - d) / (n - 1)
                    covariance[i, j] += weight * n_one / n * ((i == j) - n_other / n)
    return excess[1:] @ np.linalg.solve(covariance[1:, 1:], excess[1:])


def slow_freeman_halton(converted, size):
    """Return the exact p-value, by all tables."""
    total, everybody = sum(converted), sum(size)
    ways = {}
    for table in itertools.product(*(range(n + 1) for n in size)):
        if sum(table) == total:
            ways[table] = prod(comb(n, x) for n, x in zip(size, table, strict=True))
    observed = ways[tuple(converted)]
    return float(Fraction(sum(w for w in ways.values() if w <= observed), comb(everybody, total)))


def slow_clustered(converted, group, cluster):
    """Return the generalised score statistic, person by person, the first group left out."""
    groups, share = sorted(set(group)), np.mean(converted)
    part = np.array([np.mean(np.asarray(group) == one) for one in groups])
    excess, covariance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for person in sorted(set(cluster)):
        own = np.zeros(len(groups))
        for did, g, who in zip(converted, group, cluster, strict=True):
            if who == person:
                own[groups.index(g)] += did - share
        own -= part * own.sum()
        excess += own
        covariance += np.outer(own, own)
    return excess[1:] @ np.linalg.solve(covariance[1:, 1:], excess[1:])


def slow_clustered_log_rank(time, happened, group, cluster, stratum):
    """Return the robust log-rank statistic, row by row, the first group left out."""
    rows = list(zip(time, happened, group, cluster, stratum, strict=True))
    groups = sorted(set(group))
    of_person = {who: np.zeros(len(groups)) for who in cluster}
    for t, did, g, who, part in rows:
        for at in sorted({u for u, other, *_, s in rows if other and s == part and u <= t}):
            risk = [row for row in rows if row[0] >= at and row[4] == part]
            ended = sum(1 for row in risk if row[0] == at and row[1])
            share = np.array([sum(1 for row in risk if row[2] == one) for one in groups])
            from_share = (np.array(groups) == g) - share / len(risk)
            of_person[who] += ((did and t == at) - ended / len(risk)) * from_share
    each = np.array(list(of_person.values()))
    excess, covariance = each.sum(axis=0), each.T @ each
    return excess[1:] @ np.linalg.solve(covariance[1:, 1:], excess[1:])
