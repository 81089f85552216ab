"""What is compared: strategies by name, or E2Rank with weights given on the command line."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.ranking.errors import RequestError, SettingsError
from plugin.ranking.hits import SIGNALS, FusionWeights, Strategy

_PROMPT_HITS = "prompt_hits"
_FORM = (
    "use none, query, listwise, rocchio, e2rank, insertrank, cascade, or "
    "e2rank:listwise=1,query=0.5,rocchio=0,first_stage=0.1,prompt_hits=20"
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A strategy to be measured.

    ``fusion`` and ``prompt_hits`` None mean the model's own, from its registry entry.
    """

    label: str
    strategy: Strategy
    fusion: FusionWeights | None = None
    prompt_hits: int | None = None


NONE = Variant("none", Strategy.NONE)
E2RANK = Variant("e2rank", Strategy.E2RANK)
_NAMED = {
    variant.label: variant
    for variant in (
        NONE,
        E2RANK,
        Variant("query", Strategy.E2RANK, FusionWeights(0.0, query=1.0)),
        Variant("listwise", Strategy.E2RANK, FusionWeights(1.0)),
        Variant("rocchio", Strategy.E2RANK, FusionWeights(0.0, rocchio=1.0)),
        Variant("insertrank", Strategy.INSERTRANK),
        Variant("cascade", Strategy.CASCADE),
    )
}


def parse_variants(text: str) -> tuple[Variant, ...]:
    """Read a comma-separated list; ``e2rank:`` may be followed by comma-separated settings.

    ``none,e2rank:query=1,first_stage=0.1,rocchio`` is three strategies: a piece with ``=`` and
    without ``:`` belongs to the one before it.

    Raises:
        SettingsError: a name or a weight is not known, or two strategies are the same.
    """
    pieces: list[str] = []
    for piece in (part.strip() for part in text.split(",")):
        if "=" in piece and ":" not in piece and pieces:
            pieces[-1] += f",{piece}"
        elif piece:
            pieces.append(piece)
    variants = tuple(_variant(piece) for piece in pieces)
    labels = [variant.label for variant in variants]
    if not labels or len(set(labels)) != len(labels):
        raise SettingsError(f"strategies {text!r} must be one or more, each once; {_FORM}")
    return variants


def _variant(piece: str) -> Variant:
    name, colon, rest = piece.partition(":")
    if not colon and name in _NAMED:
        return _NAMED[name]
    if name != E2RANK.label or not rest:
        raise SettingsError(f"strategy {piece!r} is not known; {_FORM}")
    values = dict(_setting(setting, piece) for setting in rest.split(","))
    prompt_hits = values.pop(_PROMPT_HITS, None)
    if prompt_hits is not None and (prompt_hits < 1 or not prompt_hits.is_integer()):
        raise SettingsError(f"strategy {piece!r}: prompt_hits must be a whole number from 1")
    return Variant(
        label=piece,
        strategy=Strategy.E2RANK,
        fusion=_weights(values, piece) if values else None,
        prompt_hits=None if prompt_hits is None else int(prompt_hits),
    )


def _setting(text: str, piece: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in (*SIGNALS, _PROMPT_HITS):
        raise SettingsError(f"strategy {piece!r}: {name!r} is no signal; {_FORM}")
    try:
        return name, float(value)
    except ValueError as error:
        raise SettingsError(f"strategy {piece!r}: {value!r} is not a number; {_FORM}") from error


def _weights(values: dict[str, float], piece: str) -> FusionWeights:
    try:
        return FusionWeights(**{name: values.get(name, 0.0) for name in SIGNALS})
    except RequestError as error:
        raise SettingsError(f"strategy {piece!r}: {error}") from error


def signals_of(variant: Variant, default: FusionWeights | None) -> dict[str, float]:
    """Signal name → weight of what carries weight; empty where no signals are summed.

    ``default`` is the model's own fusion, used where the variant gives none.
    """
    fusion = variant.fusion or default
    if variant.strategy not in {Strategy.E2RANK, Strategy.CASCADE} or fusion is None:
        return {}
    return {name: weight for name, weight in fusion.as_dict().items() if weight}
