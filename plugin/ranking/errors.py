"""Every error Rankside raises on purpose.

    RanksideError
    ├── UsageError              you asked for something that cannot be done as asked
    │   ├── SettingsError       a setting, file or path is wrong; nothing has started
    │   └── RequestError        a request breaks a stated limit or form
    │       └── RequestTooLarge one request is over a size limit
    ├── EngineError             OpenSearch or Elasticsearch
    │   ├── EngineUnavailable   it could not be reached, or did not answer in time
    │   ├── EngineRejected      it answered with an error
    │   └── LocalEngineError    a node of `rankside engine` could not be built, started or stopped
    ├── SidecarError            the sidecar, as seen by a client of it
    │   ├── SidecarUnavailable  it could not be reached, or did not answer in time
    │   └── SidecarRejected     it answered with an error
    ├── ModelError              an encoder or an LLM
    │   ├── ModelMismatch       it is not the one whose vectors are wanted
    │   ├── ModelUnavailable    it cannot be loaded or reached
    │   │   └── CircuitOpen     it failed several times in a row and is left alone for a while
    │   ├── BudgetExhausted     what it may cost in a minute or a day is spent
    │   └── ModelOutputError    its answer is unusable: wrong count, NaN, no ids
    ├── Overloaded              the admission rule refused the work; try again later
    ├── DeadlineExceeded        the work could not be done in the time given
    └── PartlyDone              some of the work is done, and the rest is listed

Errors of other libraries are translated where they arise, with ``raise … from``; a message is one
sentence that names the remedy.
"""

from __future__ import annotations


class RanksideError(Exception):
    """The root: catch it to catch everything Rankside raises on purpose."""


class UsageError(RanksideError):
    """You asked for something that cannot be done as asked."""


class SettingsError(UsageError):
    """A setting, file or path is wrong; the message names key and value."""


class RequestError(UsageError):
    """A request breaks a stated limit or form."""


class RequestTooLarge(RequestError):
    """One request is over a size limit; the message states the limit."""


class EngineError(RanksideError):
    """OpenSearch or Elasticsearch failed."""


class EngineUnavailable(EngineError):
    """The engine could not be reached, or did not answer in time."""


class EngineRejected(EngineError):
    """The engine answered with an error.

    ``status`` is its HTTP status; ``kind`` its error type (``index_not_found_exception``), or "".
    """

    def __init__(self, message: str, *, status: int, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class LocalEngineError(EngineError):
    """A node of `rankside engine` could not be built, started or stopped."""


class SidecarError(RanksideError):
    """The sidecar failed, as seen by a client of it."""


class SidecarUnavailable(SidecarError):
    """The sidecar could not be reached, or did not answer in time."""


class SidecarRejected(SidecarError):
    """The sidecar answered with an error; ``status`` is its HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ModelError(RanksideError):
    """An encoder or an LLM failed."""


class ModelMismatch(ModelError):
    """The model is not the one whose vectors are wanted; the message names both fingerprints."""


class ModelUnavailable(ModelError):
    """A model cannot be loaded or reached.

    ``fatal`` says that this process can never use it again (a broken CUDA context): end it.
    """

    def __init__(self, message: str = "", *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal


class CircuitOpen(ModelUnavailable):
    """A model failed several times in a row and is left alone for a while."""


class BudgetExhausted(ModelError):
    """What a model may cost is spent; ``per`` is `minute` or `day`."""

    def __init__(self, message: str, *, per: str) -> None:
        super().__init__(message)
        self.per = per


class ModelOutputError(ModelError):
    """A model's answer is unusable: wrong count, NaN, no ids."""


class Overloaded(RanksideError):
    """The admission rule refused the work; ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceeded(RanksideError):
    """The work could not be done in the time given."""


class PartlyDone(RanksideError):
    """Some of the work is done; the message says how much and where the rest is listed."""
