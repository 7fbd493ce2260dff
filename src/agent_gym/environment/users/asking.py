"""What the user wants to be told: when it asks, and how often.

A question is put at the moment at which the recorded user put it: on an offer, on being read the details, when all is done.
Where there was no such moment (an agent may book without reading back) it is put when the errand is done.
"""

from agent_gym.environment.users.phrases import Meant
from agent_gym.environment.users.standing import Standing

ASKED_AGAIN = 2
"""Times a question is put again before it is let go."""


def ask(now: Standing, when: str) -> list[Meant]:
    """The next question of this moment that is still to be put."""
    stand = now.stand
    for number, ask in enumerate(now.errand.asks):
        if number not in stand.asks and ask.when == when and (when != "offer" or ask.offer <= stand.declined):
            return _question(now, now.at, number)
    return []


def ask_the_rest(now: Standing) -> list[Meant]:
    """The next question about this service for which there was no occasion: the agent may not have read back."""
    service = now.errand.service
    for at in range(now.at + 1):
        if now.goal.errands[at].service == service:
            for number, ask in enumerate(now.goal.errands[at].asks):
                if number not in now.stands[at].asks and any((service, field) in now.shown for field in ask.fields):
                    return _question(now, at, number)
    return []


def _question(now: Standing, at: int, number: int) -> list[Meant]:
    errand = now.goal.errands[at]
    now.stands[at].asks.add(number)
    fields = errand.asks[number].fields
    for field in fields:
        if now.shown.get((errand.service, field)):
            now.untold.setdefault((errand.service, field), 0)
    return [Meant("REQUEST", errand.tool, field) for field in fields]


def ask_again(now: Standing) -> list[Meant]:
    """What was asked for and not told; let go when it has been asked for often enough."""
    service = next(iter(now.untold), ("", ""))[0]
    fields = [field for owner, field in now.untold if owner == service]
    tool = next((errand.tool for errand in now.goal.errands if errand.service == service), "")
    for field in fields:
        now.untold[service, field] += 1
    tired = [field for field in fields if now.untold[service, field] > ASKED_AGAIN]
    for field in tired:
        del now.untold[service, field]
        now.missed = True
    return [Meant("REQUEST", tool, field) for field in fields if field not in tired]
