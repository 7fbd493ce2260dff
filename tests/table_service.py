"""A service of our own for the tests of the embedded engine: tables to find and to book."""

from agent_gym.lm.base import Request, Turn
from agent_gym.lm.prompt import render_conversation, render_examples, render_system, render_tools, told_date
from agent_gym.messages import Message, ToolSpec

FIND = ToolSpec(
    "Tables_1-FindTable",
    "Find a table by food and city (A directory of places to eat)",
    {
        "type": "object",
        "properties": {
            "cuisine": {"type": "string", "description": "Kind of food"},
            "city": {"type": "string", "description": "City of the place"},
            "outdoor_seating": {
                "type": "string",
                "description": "Whether there are seats outdoors",
                "enum": ["True", "False", "dontcare"],
            },
        },
        "required": ["cuisine", "city"],
    },
    results=("place_name", "city", "cuisine", "phone_number", "outdoor_seating"),
)
BOOK = ToolSpec(
    "Tables_1-BookTable",
    "Book a table at a place to eat (A directory of places to eat)",
    {
        "type": "object",
        "properties": {
            "place_name": {"type": "string", "description": "Name of the place"},
            "date": {"type": "string", "description": "Date of the booking"},
            "time": {"type": "string", "description": "Time of the booking"},
            "party_size": {"type": "string", "description": "Number of people", "enum": ["1", "2", "3", "4"], "default": "2"},
        },
        "required": ["place_name", "date", "time"],
    },
    transactional=True,
    results=("place_name", "date", "time", "party_size"),
)
PLAIN = "You are an assistant that completes tasks for the user with tools."
ROWS = [
    {"place_name": "Blue Heron", "city": "Oakland", "cuisine": "Thai", "phone_number": "555-0101", "outdoor_seating": "True"},
    {"place_name": "Lotus Root", "city": "Oakland", "cuisine": "Thai", "phone_number": "555-0102", "outdoor_seating": "False"},
]


def prompt(*messages: Message, instruction: str = PLAIN, demos: list[dict[str, object]] | None = None) -> Request:
    system = render_system(instruction, render_examples(demos or []), render_tools((FIND, BOOK)), told_date("2019-03-01"))
    return Request(turns=(Turn("system", system), *render_conversation(messages)))
