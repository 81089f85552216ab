"""The tokenizer of an in-process model, safe to use from any thread.

transformers sets truncation and padding on the shared Rust tokenizer at every call, which is not
safe across threads. Here the Rust tokenizer is copied once, both are switched off for good, and
only its read-only methods are used; texts are cut on the encodings, which belong to one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from plugin.ranking.errors import ModelUnavailable


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids of one text, special tokens included, and whether the text was cut."""

    ids: list[int]
    truncated: bool


def load_tokenizer(folder: Path, setting: str = "model.path") -> HubTokenizer:
    """The tokenizer in ``folder``, which ``setting`` names.

    Raises:
        ModelUnavailable: there is none to read.
    """
    try:
        found = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelUnavailable(
            f"no tokenizer can be read from {folder} ({error}); check {setting}"
        ) from error
    return HubTokenizer(found)


class HubTokenizer:
    """A transformers tokenizer as prompt building and encoding need it.

    Raises ModelUnavailable where the model ships no ``tokenizer.json``, or has no padding token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        rust = getattr(tokenizer, "backend_tokenizer", None)
        if not isinstance(rust, tokenizers.Tokenizer):
            raise ModelUnavailable(
                "the model ships no fast tokenizer; add its tokenizer.json to the model's folder"
            )
        self._rust = tokenizers.Tokenizer.from_str(rust.to_str())
        self._rust.no_truncation()
        self._rust.no_padding()
        self._specials = self._rust.num_special_tokens_to_add(is_pair=False)
        self._hub = tokenizer

    @property
    def has_chat_template(self) -> bool:
        """Whether ``user_turn`` and ``chat`` work."""
        return bool(self._hub.chat_template)

    @property
    def pad_id(self) -> int:
        """Token that fills short rows of a batch; any will do, it is masked."""
        pad = self._hub.pad_token_id
        return pad if isinstance(pad, int) else 0

    @property
    def end_id(self) -> int | None:
        """Token that ends a turn, or None."""
        end = self._hub.eos_token_id
        return end if isinstance(end, int) else None

    def token_id(self, token: str) -> int:
        """Id of ``token``; raises ModelUnavailable where the vocabulary has none."""
        number = self._rust.token_to_id(token)
        if number is None:
            raise ModelUnavailable(
                f"the model's vocabulary has no token {token!r}; check end_token in its profile"
            )
        return number

    def count(self, text: str) -> int:
        return len(self._rust.encode(text, add_special_tokens=True))

    def truncate(self, text: str, tokens: int) -> str:
        if tokens <= 0:
            return ""
        encoding = self._rust.encode(text, add_special_tokens=False)
        if len(encoding) <= tokens:
            return text
        # A prefix may split otherwise than the whole did (a token that was half of a character).
        for last in range(tokens - 1, -1, -1):
            prefix = text[: encoding.offsets[last][1]]
            if len(self._rust.encode(prefix, add_special_tokens=False)) <= tokens:
                return prefix
        return ""

    def user_turn(self, content: str) -> str:
        turn = self._hub.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
        return str(turn)

    def chat(self, turns: Sequence[Mapping[str, str]], **settings: Any) -> list[int]:
        """Token ids of chat turns, ready for the answer; ``settings`` are the template's own.

        Where the template refuses a system turn, what that says begins the user's.

        Raises:
            ModelUnavailable: the template refuses that too.
        """
        try:
            text = self._laid_out(turns, settings)
        except jinja2.TemplateError:
            content = "\n\n".join(turn["content"] for turn in turns)
            try:
                text = self._laid_out([{"role": "user", "content": content}], settings)
            except jinja2.TemplateError as error:
                raise ModelUnavailable(
                    f"the model's chat template takes no user turn ({error}); use another model"
                ) from error
        # The template writes the special tokens; more of them would not be what it was trained on.
        return self.bare(text)

    def _laid_out(self, turns: Sequence[Mapping[str, str]], settings: Mapping[str, Any]) -> str:
        return str(
            self._hub.apply_chat_template(
                [dict(turn) for turn in turns],
                tokenize=False,
                add_generation_prompt=True,
                **settings,
            )
        )

    def bare(self, text: str) -> list[int]:
        """Token ids of ``text`` without special tokens."""
        return list(self._rust.encode(text, add_special_tokens=False).ids)

    def text(self, ids: Sequence[int]) -> str:
        """What ``ids`` say, special tokens left out."""
        return self._rust.decode(list(ids), skip_special_tokens=True)

    def tokenize(
        self, texts: Sequence[str], limit: int, ends: Sequence[int | None]
    ) -> list[Tokens]:
        """Token ids of ``texts``, at most ``limit`` each.

        Where ``ends`` has a token id, the text is cut to ``limit - 1`` and the token put behind it,
        so that long texts keep the token they are pooled at.
        """
        encodings = self._rust.encode_batch(list(texts), add_special_tokens=False)
        return [
            self._finish(encoding, limit, end)
            for encoding, end in zip(encodings, ends, strict=True)
        ]

    def _finish(self, encoding: tokenizers.Encoding, limit: int, end: int | None) -> Tokens:
        room = limit - self._specials - (end is not None)
        truncated = len(encoding) > room
        if truncated:
            encoding.truncate(room)
        ids = list(self._rust.post_process(encoding, add_special_tokens=True).ids)
        return Tokens(ids if end is None else [*ids, end], truncated)
