"""What is compared: strategies by name, or E2Rank with weights given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from plugin.ranking.errors import RequestError, SettingsError
from plugin.ranking.hits import SIGNALS, FusionWeights, Strategy

_SIZES = ("window", "prompt_hits")
_FORM = (
    "use none, query, listwise, rocchio, e2rank, insertrank, cascade, each but none with "
    "window=100,prompt_hits=20 behind a colon if you like, or "
    "e2rank:listwise=1,query=0.5,rocchio=0,first_stage=0.1,prompt_hits=20"
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A strategy to be measured.

    ``fusion`` and ``prompt_hits`` None mean the model's own, from its registry entry; ``window``
    None all hits that the first stage is asked for.
    """

    label: str
    strategy: Strategy
    fusion: FusionWeights | None = None
    prompt_hits: int | None = None
    window: int | None = None

    @property
    def family(self) -> str:
        """The label without window and prompt hits, of which a grid has several."""
        name, _, rest = self.label.partition(":")
        kept = [part for part in rest.split(",") if part and part.partition("=")[0] not in _SIZES]
        return f"{name}:{','.join(kept)}" if kept else name

    @property
    def reads_hits(self) -> bool:
        """Whether the number of prompt hits changes anything, as far as can be told of no model."""
        if self.strategy is Strategy.E2RANK and self.fusion is not None:
            # Rocchio reads the first few of them, and the registry says how few.
            return not {"listwise", "first_stage"}.isdisjoint(self.fusion.signals)
        return self.strategy is not Strategy.NONE

    def sized(self, *, window: int | None = None, prompt_hits: int | None = None) -> Variant:
        """The variant with such a window or so many prompt hits, and the label that says so."""
        given = {"window": window, "prompt_hits": prompt_hits}
        told = ",".join(f"{name}={value}" for name, value in given.items() if value is not None)
        return replace(
            self,
            label=f"{self.label}{',' if ':' in self.label else ':'}{told}",
            window=window or self.window,
            prompt_hits=prompt_hits or self.prompt_hits,
        )


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
    """Read a comma-separated list; a name and a colon may be followed by settings.

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


def grid(
    variants: Sequence[Variant], windows: Sequence[int] = (), prompt_hits: Sequence[int] = ()
) -> tuple[Variant, ...]:
    """``variants`` at each of ``windows`` and ``prompt_hits`` where that changes anything.

    What a variant sets itself stays. One window alone is everybody's and named in no label.

    Raises:
        SettingsError: two of them come out the same.
    """
    made = [
        sized
        for one in variants
        for wide in _at_windows(one, windows)
        for sized in _at_prompt_hits(wide, prompt_hits)
    ]
    labels = [one.label for one in made]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise SettingsError(f"strategy {twice} is there twice; give each window and count once")
    return tuple(made)


def _at_windows(variant: Variant, windows: Sequence[int]) -> list[Variant]:
    if len(windows) < 2 or variant.strategy is Strategy.NONE or variant.window is not None:
        return [variant]
    return [variant.sized(window=size) for size in windows]


def _at_prompt_hits(variant: Variant, prompt_hits: Sequence[int]) -> list[Variant]:
    if not prompt_hits or not variant.reads_hits or variant.prompt_hits is not None:
        return [variant]
    return [variant.sized(prompt_hits=count) for count in prompt_hits]


def depth(variants: Sequence[Variant], windows: Sequence[int]) -> int:
    """How many hits the first stage is asked for: the largest window of any."""
    return max([*windows, *(one.window for one in variants if one.window is not None)])


def _variant(piece: str) -> Variant:
    name, colon, rest = piece.partition(":")
    base = _NAMED.get(name)
    if base is not None and not colon:
        return base
    if base is None or base is NONE or not rest:
        raise SettingsError(f"strategy {piece!r} is not known; {_FORM}")
    values = dict(_setting(setting, piece, name) for setting in rest.split(","))
    window, prompt_hits = (_whole(size, values.pop(size, None), piece) for size in _SIZES)
    fusion = _weights(values, piece) if values else base.fusion
    return Variant(piece, base.strategy, fusion, prompt_hits, window)


def _setting(text: str, piece: str, strategy: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in (*SIGNALS, *_SIZES):
        raise SettingsError(f"strategy {piece!r}: {name!r} is no signal; {_FORM}")
    if name in SIGNALS and strategy != E2RANK.label:
        raise SettingsError(f"strategy {piece!r} is not known, only e2rank has weights; {_FORM}")
    try:
        return name, float(value)
    except ValueError as error:
        raise SettingsError(f"strategy {piece!r}: {value!r} is not a number; {_FORM}") from error


def _whole(name: str, value: float | None, piece: str) -> int | None:
    if value is None:
        return None
    if value < 1 or not value.is_integer():
        raise SettingsError(f"strategy {piece!r}: {name} must be a whole number from 1")
    return int(value)


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
