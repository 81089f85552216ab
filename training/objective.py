"""E2Rank's training objective: InfoNCE + 2 · RankNet over a query vector and its documents.

Source: arXiv 2510.22733, section 3.3, and its reference implementation (github.com/Alibaba-NLP/
E2Rank, src/modeling.py for the terms, scripts/train_e2rank_0.6b.sh for the constants).

    InfoNCE   cross entropy of softmax(cosine / 0.03) at a query's best document, over the documents
              of every query of the batch; mean over queries
    RankNet   log(1 + exp(-10 · (cosine_i - cosine_j))) of every pair of a query's own documents of
              which i is the better; mean over all pairs of the batch

Where this deviates:

* In the reference InfoNCE takes the plain query's vector and RankNet the listwise prompt's. An
  adapter leaves plain queries to the base model, so here both take the listwise prompt's.
* The reference ranks each list of documents completely. Here labels may be tied or lacking: tied
  documents make no pair, and a document is no negative of a query that it is as good for as the
  best. On complete orders, with no document in two lists, the terms are the reference's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

TEMPERATURE = 0.03
RANKNET_WEIGHT = 2.0
SCORE_SCALE = 10.0


@dataclass(frozen=True, slots=True)
class Objective:
    """The constants, as published."""

    temperature: float = TEMPERATURE
    ranknet_weight: float = RANKNET_WEIGHT
    score_scale: float = SCORE_SCALE


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """The two terms and their weighted sum, each a scalar tensor."""

    infonce: Tensor
    ranknet: Tensor
    total: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The documents of a batch of queries.

    ``documents`` is float (queries, documents, dimensions) of unit rows; ``places`` int64 (queries,
    documents), the same number for the same document in any list, and -1 where a list is shorter
    than the longest; ``grades`` float (queries, documents), higher is better.
    """

    documents: Tensor
    places: Tensor
    grades: Tensor

    @property
    def real(self) -> Tensor:
        """Where there is a document, bool (queries, documents)."""
        return self.places >= 0


def loss(queries: Tensor, lists: Lists, objective: Objective = Objective()) -> Loss:
    """The objective of ``queries``, unit rows (queries, dimensions), with ``lists``."""
    contrast = infonce(queries, lists, objective.temperature)
    order = ranknet(queries, lists, objective.score_scale)
    return Loss(contrast, order, contrast + objective.ranknet_weight * order)


def infonce(queries: Tensor, lists: Lists, temperature: float = TEMPERATURE) -> Tensor:
    """Mean over queries of the cross entropy at each one's best document; a scalar."""
    count, depth = lists.places.shape
    rows = torch.arange(count, device=queries.device)
    grades = lists.grades.masked_fill(~lists.real, -torch.inf)
    best = grades.argmax(dim=1)  # the first of those that tie
    target = rows * depth + best
    scores = queries @ lists.documents.reshape(count * depth, -1).T / temperature
    kept = ~_as_good(lists, grades.max(dim=1).values) & lists.real.reshape(1, -1)
    kept[rows, target] = True
    return functional.cross_entropy(scores.masked_fill(~kept, -torch.inf), target)


def ranknet(queries: Tensor, lists: Lists, scale: float = SCORE_SCALE) -> Tensor:
    """Mean over pairs of one query's documents of the logistic loss; 0 where there is no pair."""
    scores = scale * torch.einsum("qd,qnd->qn", queries, lists.documents)
    better = lists.grades.unsqueeze(2) > lists.grades.unsqueeze(1)
    pairs = better & lists.real.unsqueeze(2) & lists.real.unsqueeze(1)
    differences = (scores.unsqueeze(2) - scores.unsqueeze(1))[pairs]
    if differences.numel() == 0:
        return scores.sum() * 0
    return functional.softplus(-differences).mean()


def _as_good(lists: Lists, best: Tensor) -> Tensor:
    """Which documents of the batch are as good for a query as its best, bool (queries, all)."""
    top = (lists.grades >= best.unsqueeze(1)) & lists.real
    good = torch.where(top, lists.places, -2)  # a number that no document has
    return (lists.places.reshape(1, -1, 1) == good.unsqueeze(1)).any(dim=2)
