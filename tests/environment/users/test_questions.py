"""Which arguments real questions ask for."""

from datetime import date
from pathlib import Path

import pytest

from agent_gym.environment.users.questions import asked
from agent_gym.environment.users.understanding import params_of
from agent_gym.messages import Assistant, User
from agent_gym.traces import SGDLoader
from agent_gym.traces.sgd_acts import SGDActs

TODAY = date(2019, 3, 1)
HEARD = [
    ("Restaurants_2-FindRestaurants", "What type of food do you need?", {"category"}),
    ("Restaurants_2-FindRestaurants", "Can you tell me what kind of food you'd like, and the area?", {"category", "location"}),
    ("Restaurants_2-ReserveRestaurant", "What time should I book it for?", {"time"}),
    ("Restaurants_2-ReserveRestaurant", "Which restaurant, and on which day?", {"restaurant_name", "date"}),
    ("Buses_1-BuyBusTicket", "Where are you leaving from and where are you going?", {"from_location", "to_location"}),
    ("Buses_1-BuyBusTicket", "How many tickets will you need?", {"travelers"}),
    ("RentalCars_1-GetCarsAvailable", "Till when do you need the car?", {"dropoff_date"}),
    ("RentalCars_1-GetCarsAvailable", "Would you like it from March 11th?", {"pickup_date"}),
    ("Hotels_4-ReserveHotel", "How long do you want to stay?", {"stay_length"}),
    ("RideSharing_1-GetRide", "Would you like a shared ride?", {"shared_ride"}),
    ("Services_4-FindProvider", "Do you need a Psychiatrist, a Psychologist, or something else?", {"type"}),
    ("Banks_2-TransferMoney", "How much, and to whom?", {"transfer_amount", "recipient_name"}),
]


@pytest.mark.real
@pytest.mark.parametrize(("tool", "words", "meant"), HEARD)
def test_a_question_is_understood(sgd: Path, tool: str, words: str, meant: set[str]) -> None:
    specs = {spec.name: spec for tools in SGDLoader(sgd).tools("dev").values() for spec in tools}
    params = params_of(specs[tool])
    assert asked(words, params, {param.name for param in params}, TODAY) == meant


@pytest.mark.parametrize("words", ["", "ok", "Thanks!", "Can I help you with that?", "?", "…"])
def test_words_that_ask_for_nothing(sample: Path, words: str) -> None:
    for tools in SGDLoader(sample).tools("dev").values():
        for spec in tools:
            assert asked(words, params_of(spec), (), TODAY) == frozenset()


@pytest.mark.real
def test_recorded_questions_are_understood(sgd: Path) -> None:
    """Of all that the recorded system of dev asks for, 0.9 is heard, and of what is heard 0.9 was asked for."""
    acts, meant, heard, both = SGDActs(sgd), 0, 0, 0
    for trace in SGDLoader(sgd).load("dev"):
        specs = {spec.name: spec for spec in trace.tools}
        intents: dict[str, str] = {}
        known: dict[str, set[str]] = {}
        words = [message.content for message in trace.messages if isinstance(message, User | Assistant) and message.content]
        for text, turn in zip(words, acts.of(trace) or (), strict=True):
            for frame in turn.frames:
                if turn.user:
                    intents[frame.service] = frame.intent
                    known[frame.service] = set(frame.known)
                elif {act.act for act in frame.acts} == {"REQUEST"} and intents.get(frame.service):
                    params = params_of(specs[intents[frame.service]])
                    found = asked(text, params, {one.name for one in params} - known[frame.service], TODAY)
                    wanted = {act.slot for act in frame.acts}
                    meant, heard, both = meant + len(wanted), heard + len(found), both + len(wanted & found)
    assert both / meant >= 0.9
    assert both / heard >= 0.9
