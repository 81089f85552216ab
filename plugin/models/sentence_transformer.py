"""The in-process encoder: sentence-transformers on CUDA, MPS or CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer

from plugin.models.batching import batches
from plugin.models.encoder import Encoded
from plugin.models.hardware import gpu_failed
from plugin.models.tokenizer import HubTokenizer, Tokens
from plugin.ranking.errors import ModelOutputError, ModelUnavailable
from plugin.ranking.profile import ModelProfile
from plugin.ranking.prompts import EncoderInput, InputKind

Matrix = npt.NDArray[np.float32]
DEFAULT_BATCH_TOKENS = 16_384


class SentenceTransformerEncoder:
    """Runs the modules of a SentenceTransformer over ids that are cut exactly by its profile.

    Texts are tokenised here and not by ``SentenceTransformer.encode``, which would cut off the end
    token of long texts, and lays every text out as a chat turn where the tokenizer has a chat
    template and the model's folder says nothing about it (seen in 6.2).

    Rows are padded on the right: a causal model's tokens never see what stands behind them, a
    bidirectional one's are masked, positions count from the text's start in both, and pooling goes
    by the mask. ``batch_tokens`` bounds a forward pass, padding included.

    Listwise prompts go through ``listwise`` where it is given: a model with the same tokenizer and
    pooling.

    Raises ModelUnavailable where model and profile do not fit together.
    """

    def __init__(
        self,
        profile: ModelProfile,
        model: SentenceTransformer,
        *,
        listwise: SentenceTransformer | None = None,
        batch_tokens: int = DEFAULT_BATCH_TOKENS,
    ) -> None:
        self._profile = profile
        self._model = model.eval()
        self._listwise = self._model if listwise is None else listwise.eval()
        self._tokenizer = HubTokenizer(model.tokenizer)
        self._batch_tokens = batch_tokens
        self._end = (
            None if profile.end_token is None else self._tokenizer.token_id(profile.end_token)
        )
        if profile.listwise.chat and not self._tokenizer.has_chat_template:
            raise ModelUnavailable(
                f"{profile.name} lays its listwise prompt out as a chat turn, and its tokenizer "
                "has no chat template; add one, or use the plain layout"
            )

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    @property
    def tokenizer(self) -> HubTokenizer:
        return self._tokenizer

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        tokens = self._tokenizer.tokenize(
            [input_.text for input_ in inputs],
            self._profile.max_tokens,
            [None if input_.kind is InputKind.LISTWISE else self._end for input_ in inputs],
        )
        vectors = np.zeros((len(tokens), self._profile.dimensions), dtype=np.float32)
        for model, places in self._parts(inputs):
            lengths = [len(tokens[place].ids) for place in places]
            for batch in batches(lengths, self._batch_tokens):
                chosen = [places[number] for number in batch]
                vectors[chosen] = self._embed(model, [tokens[place] for place in chosen])
        return Encoded(
            vectors=self._finished(vectors),
            tokens=tuple(len(one.ids) for one in tokens),
            truncated=tuple(one.truncated for one in tokens),
        )

    def close(self) -> None:
        """Nothing is open."""

    def _parts(
        self, inputs: Sequence[EncoderInput]
    ) -> Iterator[tuple[SentenceTransformer, list[int]]]:
        """The models there are, and the places of the inputs that go through each."""
        if self._listwise is self._model:
            yield self._model, list(range(len(inputs)))
            return
        prompts = [input_.kind is InputKind.LISTWISE for input_ in inputs]
        for model, wanted in ((self._model, False), (self._listwise, True)):
            yield model, [place for place, prompt in enumerate(prompts) if prompt is wanted]

    def _embed(self, model: SentenceTransformer, batch: list[Tokens]) -> Matrix:
        """One forward pass, or two of half the size where memory does not suffice."""
        try:
            return self._forward(model, batch)
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                raise ModelUnavailable(
                    f"the device has no memory for one text of {len(batch[0].ids)} tokens; lower "
                    "model.max_tokens, or use a smaller model or float16"
                ) from error
        except (RuntimeError, IndexError) as error:  # a token over the vocabulary is an IndexError
            raise _translated(error) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        middle = len(batch) // 2
        halves = (batch[:middle], batch[middle:])
        return np.concatenate([self._embed(model, half) for half in halves])

    def _forward(self, model: SentenceTransformer, batch: list[Tokens]) -> Matrix:
        """Vectors of ``batch`` as the modules give them, float32 (len(batch), dimensions)."""
        width = max(len(one.ids) for one in batch)
        ids = np.full((len(batch), width), self._tokenizer.pad_id, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, one in enumerate(batch):
            ids[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
        device = model.device
        features = {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }
        with torch.inference_mode():
            embedding = model(features)["sentence_embedding"]
        answer: Matrix = embedding.float().cpu().numpy()
        return answer

    def _finished(self, vectors: Matrix) -> Matrix:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or (norms == 0).any():
            raise ModelOutputError(
                f"{self._profile.name} gave NaN, infinite or zero vectors; set model.dtype to "
                "float32, and check its weights"
            )
        return vectors / norms if self._profile.normalize else vectors


def _translated(error: RuntimeError | IndexError) -> ModelUnavailable | ModelOutputError:
    """An error of the forward pass; a broken CUDA context is fatal to the process."""
    if gpu_failed(error):
        return ModelUnavailable("the GPU failed; restart the process", fatal=True)
    return ModelOutputError(
        f"the model failed on a batch ({type(error).__name__}); check model.dtype and its weights"
    )
