"""What can go wrong between a request and its answer, told apart so that it can be counted by kind.

The public tree is in `errors.py`; these are its leaves that only this room needs to name.

    ModelError   ServerFailed  5xx                            server_error
                 Unreachable   no connection, or it broke     transport
                 Unreadable    not the dialect's JSON         unreadable
                 EmptyAnswer   an answer without words        empty
                 CutOff        an answer that was cut short   cut_off
                 RateLimited   429                            rate_limited
                 ModelTimeout  nothing in time                timeout
    ModelRefused               never to be accepted           refused
                 Blocked       stopped by a content filter    blocked
"""

from agent_gym.errors import ModelError, ModelRefused, ModelTimeout, RateLimited


class ServerFailed(ModelError):
    """The endpoint answered 5xx."""


class Unreachable(ModelError):
    """No connection to the endpoint, or it broke off."""


class Unreadable(ModelError):
    """The endpoint's answer is not what its dialect promises."""


class EmptyAnswer(ModelError):
    """The model answered without a word."""


class CutOff(ModelError):
    """The answer stops before its end."""


class Blocked(ModelRefused):
    """The provider's content filter stopped the question or the answer."""


_KINDS: dict[type[ModelError], str] = {
    ServerFailed: "server_error",
    Unreachable: "transport",
    Unreadable: "unreadable",
    EmptyAnswer: "empty",
    CutOff: "cut_off",
    Blocked: "blocked",
    RateLimited: "rate_limited",
    ModelTimeout: "timeout",
    ModelRefused: "refused",
}


def kind(error: ModelError) -> str:
    """One word for what went wrong; `other` for an error this room does not know."""
    return _KINDS.get(type(error), "other")
