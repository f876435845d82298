"""Mix and rates: how much of a change of shares is who came, and how much what they did.

The mix is R. L. Oaxaca's and A. S. Blinder's detailed decomposition with the coefficients of both
sides together ("Male-Female Wage Differentials in Urban Labor Markets", International Economic
Review 14, 1973; "Wage Discrimination", Journal of Human Resources 8, 1973), with a term for the
side, as B. Jann asks ("The Blinder-Oaxaca decomposition for linear regression models", Stata
Journal 8, 2008). With one kind of label it is E. M. Kitagawa's of rates that are pooled
("Components of a Difference Between Two Rates", Journal of the American Statistical Association
50, 1955). It adds up by itself: the change is the mix of each kind, plus what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convergekit.change.accounts import Accounts
from convergekit.typing import FloatArray


def mix_effects(before: Accounts, after: Accounts) -> list[FloatArray]:
    """Return what each label's share has to do with each step, a kind after the other.

    Parameters
    ----------
    before, after : Accounts

    Returns
    -------
    list of numpy.ndarray
        Per kind: by how much the share that reaches each step changes, because more or fewer
        entrants have a label. Its sum over the labels is the mix of the kind.
    """
    sizes = [level.shape[1] for level in before.levels]
    if not sizes:
        return []
    beta = _coefficients(before, after, sizes)
    starts = np.cumsum([2, *sizes])
    effects = []
    for kind, size in enumerate(sizes):
        share = [_shares(side.levels[kind][:, :, 0]) for side in (before, after)]
        own = beta[:, starts[kind] : starts[kind] + size, :]
        # Labels are compared with the mean of their kind, so that each is read by itself.
        mean = (share[0] + share[1]) / 2
        own = own - np.einsum("rl,rlk->rk", mean, own)[:, None, :]
        effects.append((share[1] - share[0])[:, :, None] * own)
    return effects


def _coefficients(before: Accounts, after: Accounts, sizes: Sequence[int]) -> FloatArray:
    """Return the coefficients of a constant, the side and each label, for each step."""
    width = 2 + sum(sizes)
    starts = np.cumsum([2, *sizes])
    rows, steps = before.reached.shape
    gram = np.zeros((rows, width, width))
    moment = np.zeros((rows, width, steps))
    for is_after, side in enumerate((before, after)):
        outer = [slice(0, 1), slice(1, 2)][: 1 + is_after]
        for one in outer:
            for other in outer:
                gram[:, one, other] += side.entrants[:, None, None]
            moment[:, one, :] += side.reached[:, None, :]
        for kind, size in enumerate(sizes):
            at = slice(starts[kind], starts[kind] + size)
            level = side.levels[kind]
            for one in outer:
                gram[:, one, at] += level[:, None, :, 0]
                gram[:, at, one] += level[:, :, None, 0]
            gram[:, at, at] += np.einsum("rl,lm->rlm", level[:, :, 0], np.eye(size))
            moment[:, at, :] += level
        for (i, j), counts in side.pairs.items():
            one, other = (slice(starts[k], starts[k] + sizes[k]) for k in (i, j))
            gram[:, one, other] += counts
            gram[:, other, one] += counts.transpose(0, 2, 1)
    # Labels of one kind add up to the constant: of all solutions, the shortest.
    found: FloatArray = np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ moment
    return found


def _shares(counts: FloatArray) -> FloatArray:
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, 1.0)
