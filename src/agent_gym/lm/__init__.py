"""How the program reaches a model, and what it knows about what that cost.

Everything here is a `Model` (`base.py`): something with a name that completes a request. A handle is a short stack of them,
each adding one thing:

    Handle            handle.py    the stack, its role and meter; safe from any thread and any event loop
      Cached          cached.py    a question is paid once: on disk (`cache.py`) and while it is in flight
        Budgeted      budget.py    what the run may spend: money, questions, time
          Metered     meter.py     requests, tokens, cost and latency by role
            Retrying  retry.py     faults that may pass are tried again, and counted
              Limited rate.py      requests and tokens a minute, requests in flight; where a rate limit is given
                HttpModel wire.py  one pool of connections; the dialects are `openai_chat.py` and `gemini.py`

`offline/` is the embedded model, `dspy_route.py` reaches every provider that only DSPy knows, `dspy_lm.py` lets DSPy's
optimizers use a handle, `loop.py` is the doorway from synchronous code, `prompt.py` writes prompts and reads answers.
"""

from agent_gym.lm.base import Completion, Model, Request, Turn
from agent_gym.lm.budget import Budget
from agent_gym.lm.handle import Handle, make_handle
from agent_gym.lm.loop import run_sync
from agent_gym.lm.meter import Meter
from agent_gym.lm.model import make_lm
from agent_gym.lm.rate import RateLimit
from agent_gym.lm.usage import Transport, Usage

__all__ = [
    "Budget",
    "Completion",
    "Handle",
    "Meter",
    "Model",
    "RateLimit",
    "Request",
    "Transport",
    "Turn",
    "Usage",
    "make_handle",
    "make_lm",
    "run_sync",
]
