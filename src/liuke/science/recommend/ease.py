"""EASE^R: which items are bought by the members who bought these? A linear model in closed form.

With X the members by items matrix of ones and zeros, ``G = X'X + penalty * I`` and ``P = inv(G)``,

    ``B_ij = -P_ij / P_jj`` off the diagonal, ``B_jj = 0``

minimises ``|X - XB|^2 + penalty * |B|^2`` under a zero diagonal (Steck, "Embarrassingly shallow
autoencoders for sparse data", WWW 2019, equations 6 to 8). The score of item j for a member is the
sum of B_ij over the items i that they own.

The inverse takes the cube of the number of items, so only the most popular are in it, and of each
row only the largest weights are kept: nothing grows with the number of members.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_array

from liuke.science.order_log import Int64s
from liuke.science.recommend.lines import Lines

Float32s = NDArray[np.float32]
Int32s = NDArray[np.int32]

MOST_ITEMS = 6_000
MOST_WEIGHTS = 128
_BLOCK = 500


def most_bought(bought: NDArray[np.integer | np.floating], most: int) -> Int64s:
    """The places of the most bought items that were bought at all, in ascending order."""
    order = np.argsort(-bought, kind="stable")[:most]
    return np.sort(order[bought[order] > 0])


def owned_matrix(lines: Lines, items: Int64s) -> csr_array:
    """Who owns which of ``items``: ones, float32, shape (members, len(items))."""
    column = np.full(len(lines.items), -1)
    column[items] = np.arange(len(items))
    place = column[lines.item]
    there = place >= 0
    ones = np.ones(int(there.sum()), dtype=np.float32)
    shape = (len(lines.members), len(items))
    owned = csr_array((ones, (lines.member[there], place[there])), shape=shape)
    owned.data[:] = 1.0  # several baskets with an item are one ownership
    return owned


def gram(owned: csr_array) -> Float32s:
    """X'X, dense: how many members own both; built in blocks of columns."""
    columns = owned.tocsc()
    both = np.empty((owned.shape[1], owned.shape[1]), dtype=np.float32)
    for start in range(0, owned.shape[1], _BLOCK):
        block = columns[:, start : start + _BLOCK]
        both[start : start + _BLOCK] = (block.T.tocsr() @ owned).toarray()
    return both


def usual_penalty(both: Float32s) -> float:
    """Number of owners of the item of an average purchase: the scale on which penalties are told."""
    owners = np.diagonal(both).astype(np.float64)
    return float((owners**2).sum() / max(float(owners.sum()), 1.0)) or 1.0


def ease(both: Float32s, penalty: float) -> Float32s:
    """B, shape (items, items), float32: row i is what owning item i says of the others."""
    inverse = _inverse(both, penalty)
    scale = np.diagonal(inverse).copy()
    inverse /= -scale[None, :]
    np.fill_diagonal(inverse, 0.0)
    return inverse


def _inverse(both: Float32s, penalty: float) -> Float32s:
    """inv(X'X + penalty I) by Cholesky, in single precision; in double where that breaks down."""
    size = len(both)
    for kind, factor, invert in (
        (np.float32, lapack.spotrf, lapack.spotri),
        (np.float64, lapack.dpotrf, lapack.dpotri),
    ):
        matrix = np.array(both, dtype=kind, order="F")
        np.fill_diagonal(matrix, np.diagonal(matrix) + penalty)
        lower, failed = factor(matrix, lower=1, overwrite_a=1)
        if failed:
            continue
        inverse, failed = invert(lower, lower=1, overwrite_c=1)
        if not failed:
            _mirror(inverse)
            return np.asarray(inverse, dtype=np.float32)
    return np.eye(size, dtype=np.float32)


def _mirror(lower: NDArray[np.floating]) -> None:
    """Write the lower triangle into the upper one, a block at a time."""
    for start in range(0, len(lower), _BLOCK):
        stop = start + _BLOCK
        lower[start:stop, stop:] = lower[stop:, start:stop].T
        corner = lower[start:stop, start:stop]
        corner[:] = np.tril(corner) + np.tril(corner, -1).T


def strongest(weights: Float32s, most: int = MOST_WEIGHTS) -> tuple[Int32s, Float32s]:
    """Columns and values of the largest weights of each row, by size whatever the sign.

    Both of shape (items, min(most, items)); columns ascending within a row.
    """
    kept = min(most, weights.shape[1])
    columns = np.empty((len(weights), kept), dtype=np.int32)
    for start in range(0, len(weights), _BLOCK):
        block = np.abs(weights[start : start + _BLOCK])
        columns[start : start + _BLOCK] = np.argpartition(-block, kept - 1, axis=1)[:, :kept]
    columns.sort(axis=1)
    return columns, np.take_along_axis(weights, columns, axis=1)
