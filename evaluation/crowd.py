"""Many searches at the same time, from a process of their own.

`python -m evaluation.crowd` reads a line of JSON, an `Order`, opens its connections, prints a line,
and at the next line of input sends the searches. It prints how each of them ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from evaluation.plugin_ways import reported
from plugin.ranking.errors import EngineUnavailable

_LINE_LIMIT = 16 << 20
_TIMEOUT = aiohttp.ClientTimeout(total=120)


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent: each of ``bodies`` to ``path`` of the engine at ``url``.

    All at the same instant, or evenly over ``spread`` seconds; nobody waits for another's answer.
    """

    url: str
    path: str
    bodies: Sequence[Mapping[str, Any]]
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """One search: after how many milliseconds, and why it was not reranked, empty if it was.

    ``reason`` is "plain" where nobody asked for a rerank.
    """

    milliseconds: float
    reason: str


class Crowd:
    """A process that waits for the word."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def go(self) -> list[Ended]:
        """Send them; how each one ended, in no order.

        Raises:
            EngineUnavailable: a search failed, or could not be sent.
        """
        return [Ended(**one) for one in await self._exchange({})]

    async def _exchange(self, sent: Mapping[str, Any]) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert stdout is not None  # noqa: S101
        stdin.write(json.dumps(sent).encode() + b"\n")
        await stdin.drain()
        line = await stdout.readline()
        answer = json.loads(line or b'{"error": "it ended"}')
        if isinstance(answer, dict):
            raise EngineUnavailable(
                f"the searches of the crowd failed ({answer['error']}); see the node's log"
            )
        return answer


@asynccontextmanager
async def crowd(order: Order) -> AsyncIterator[Crowd]:
    """A crowd that stands ready; it is ended with the block.

    Raises:
        EngineUnavailable: the engine could not be reached.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "evaluation.crowd", stdin=PIPE, stdout=PIPE, limit=_LINE_LIMIT
    )
    try:
        made = Crowd(process)
        await made._exchange(asdict(order))  # noqa: SLF001 - the same module
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def send_all(order: Order, lines: asyncio.StreamReader) -> list[Ended]:
    """Open a connection for each search, say so, and send them when a line comes."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
        await asyncio.gather(*(_get(session, order.url) for _ in order.bodies))
        sys.stdout.write("[]\n")
        sys.stdout.flush()
        await lines.readline()
        url, pause = order.url + order.path, order.spread / len(order.bodies)
        searches = (
            _search(session, url, body, number * pause) for number, body in enumerate(order.bodies)
        )
        return await asyncio.gather(*searches)


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url, raise_for_status=True) as response:
        await response.read()


async def _search(
    session: aiohttp.ClientSession, url: str, body: Mapping[str, Any], after: float
) -> Ended:
    await asyncio.sleep(after)
    begun = time.perf_counter()
    async with session.post(url, json=body, raise_for_status=True) as response:
        answer, headers = await response.json(), response.headers
    spent = (time.perf_counter() - begun) * 1000
    said = reported(answer, headers)
    return Ended(spent, "plain" if said is None else said.get("reason", ""))


async def main() -> None:
    """Do what the lines say."""
    lines = asyncio.StreamReader(limit=_LINE_LIMIT)
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    order = Order(**json.loads(await lines.readline()))
    try:
        answer: Any = [asdict(one) for one in await send_all(order, lines)]
    except (aiohttp.ClientError, TimeoutError) as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
