"""The prompt side of a model as a module that transformers' trainer can train.

Document vectors are constants: only the listwise prompt is run, forward and back (as in ANCE-PRF,
arXiv 2108.13454, which trains a feedback encoder against an index that stays as it is).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from torch.nn import functional
from torch.utils.data import Dataset

from plugin.models.encoder import Encoder
from plugin.models.tokenizer import HubTokenizer
from plugin.models.tower import network
from plugin.ranking.errors import RequestTooLarge
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import document_input, listwise_prompt
from training.examples import Example
from training.objective import Lists, Objective, loss

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One example, tokenised: prompt ids, places of its documents in the matrix, their grades."""

    ids: list[int]
    places: list[int]
    grades: list[float]


class PromptData(Dataset[Prepared]):
    """Prepared examples and the frozen vectors of their documents, float32 (n, dimensions).

    ``pad_id`` fills the shorter prompts of a batch.
    """

    def __init__(
        self, rows: Sequence[Prepared], vectors: npt.NDArray[np.float32], pad_id: int
    ) -> None:
        self.rows = rows
        self.vectors = torch.from_numpy(vectors)
        self.pad_id = pad_id

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Prepared:
        return self.rows[index]


class Collator:
    """Rows of examples to tensors; prompts are padded on the right, as the encoder does."""

    def __init__(self, data: PromptData) -> None:
        self._data = data

    def __call__(self, rows: Sequence[Prepared]) -> Batch:
        """The batch: ``places`` is -1 where a list of documents is shorter than the longest."""
        width = max(len(row.ids) for row in rows)
        depth = max(len(row.places) for row in rows)
        ids = torch.full((len(rows), width), self._data.pad_id)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        places = torch.full((len(rows), depth), -1)
        grades = torch.zeros((len(rows), depth))
        for number, row in enumerate(rows):
            ids[number, : len(row.ids)] = torch.tensor(row.ids)
            mask[number, : len(row.ids)] = 1
            places[number, : len(row.places)] = torch.tensor(row.places)
            grades[number, : len(row.grades)] = torch.tensor(row.grades)
        documents = self._data.vectors[places.clamp(min=0)]
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "documents": documents,
            "places": places,
            "grades": grades,
        }


class PromptTower(torch.nn.Module):
    """A sentence-transformers model whose forward pass is the objective of a batch of prompts."""

    def __init__(self, encoder: SentenceTransformer, objective: Objective) -> None:
        super().__init__()
        self.encoder = encoder
        self._objective = objective

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        documents: torch.Tensor,
        places: torch.Tensor,
        grades: torch.Tensor,
    ) -> Batch:
        """The loss, as the trainer expects it."""
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        embedding = self.encoder(features)["sentence_embedding"].float()
        queries = functional.normalize(embedding, dim=1)
        found = loss(queries, Lists(documents, places, grades), self._objective)
        return {"loss": found.total}

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Keep fewer activations; the trainer asks for it by this name."""
        network(self.encoder).activation_checkpointing_enable(**settings)


def prepare(
    examples: Sequence[Example],
    profile: ModelProfile,
    tokenizer: HubTokenizer,
    places: Mapping[str, int],
    advance: Callable[[int], None] = lambda _: None,
) -> list[Prepared]:
    """Tokenise prompts just as they are served; ``places`` says where each text's vector is.

    A query that fills the model alone is left out: a search for it passes through.
    """
    rows = []
    for example in examples:
        advance(1)
        try:
            prompt = listwise_prompt(profile, example.query, example.passages, tokenizer)
        except RequestTooLarge:
            continue
        tokens = tokenizer.tokenize([prompt.text], profile.max_tokens, [None])[0]
        rows.append(
            Prepared(
                tokens.ids,
                [places[one.text] for one in example.documents],
                [one.grade for one in example.documents],
            )
        )
    return rows


def frozen_vectors(
    examples: Sequence[Example], encoder: Encoder
) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """Place of each document's text, and their vectors, float32 (texts, dimensions)."""
    texts = dict.fromkeys(one.text for example in examples for one in example.documents)
    inputs = [document_input(encoder.profile, text) for text in texts]
    vectors = encoder.encode(inputs).vectors
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return {text: place for place, text in enumerate(texts)}, vectors / norms
