"""The errors a user can meet, named by the boundary that was crossed.

    AgentGymError
    ├── UsageError          the caller's fault: an option, a path, a missing key (exit code 2, one line, no traceback)
    │   ├── MissingKey      no API key for the chosen model
    │   └── FileRefused     a file that is truncated, of a newer version, or not ours
    ├── DataError           a data set or trace that cannot be read; names file, dialogue, turn and field
    ├── ArgumentsError      a tool call whose raw arguments are not one JSON object: the model's fault, data, never a crash
    ├── AnswerError         a model's answer that cannot be read as an action (empty, cut off, broken JSON)
    ├── JudgeFailed         a judge gave no score; counted and shown, never the agent's score
    ├── UserFailed          a simulated user cannot go on; the episode is spoilt, which is not the agent's fault
    ├── BudgetSpent         a question that the run's budget does not allow any more: nobody's fault, and never a score
    └── ModelError          the model's endpoint failed after all retries; its other leaves are in `lm/faults.py`
        ├── RateLimited     429; `retry_after` holds the seconds the endpoint asked for
        ├── ModelTimeout    nothing came in time
        └── ModelRefused    a request the endpoint will never accept (400, 401, 403, 404)

A message states the fact, shows the value and names the way out. A failed rollout is data: what is raised while an agent
plays lands on the trace, is counted and is shown; it is never silently a zero.
"""


class AgentGymError(Exception):
    """Everything raised on purpose by this package."""


class UsageError(AgentGymError):
    """The caller's fault; printed as one line, exit code 2."""


class MissingKey(UsageError):
    """No API key for the chosen model."""


class FileRefused(UsageError):
    """A saved file that cannot be used as it stands."""


class DataError(AgentGymError):
    """A data set or trace that cannot be read."""


class ArgumentsError(AgentGymError):
    """Raw tool-call arguments that are not one JSON object."""


class AnswerError(AgentGymError):
    """A model's answer that cannot be read as an action."""


class JudgeFailed(AgentGymError):
    """A judge gave no score: its endpoint failed, its answers could not be read, or its budget is spent."""


class UserFailed(AgentGymError):
    """A simulated user cannot go on."""


class BudgetSpent(AgentGymError):
    """The budget of the run does not allow another question."""


class ModelError(AgentGymError):
    """The model's endpoint failed; `retryable` says whether the same request may succeed later."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(ModelError):
    """The endpoint answered 429."""


class ModelTimeout(ModelError):
    """The endpoint did not answer in time."""


class ModelRefused(ModelError):
    """The endpoint will never accept this request."""

    retryable = False
