"""Personal data taken out: what counts, what does not, and that the rest stays as it was."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.messages import Assistant, Tool, ToolCall, User
from agent_gym.traces import Trace, dump_trace
from agent_gym.traces.redaction import Redactor
from strategies import traces


def redacted(text: str) -> str:
    return Redactor().text(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Write to Ann.Lee+work@mail.example.co.uk.", "Write to [EMAIL_1]."),
        ("josé@correo.example, please", "[EMAIL_1], please"),
        ("a@b.com-thanks", "[EMAIL_1]-thanks"),
        ("My number is (408) 247-8880", "My number is [PHONE_1]"),
        ("408-247-8880 or 408.247.8880", "[PHONE_1] or [PHONE_1]"),
        ("+1 408 247 8880, that is 1-408-247-8880", "[PHONE_1], that is [PHONE_1]"),
        ("+49 171 1234567", "[PHONE_1]"),
        ("(+44) 20 7946 0958 = 0044 20 7946 0958", "[PHONE_1] = [PHONE_1]"),
        ("020 7946 0958, 0171/1234567, 06 12 34 56 78", "[PHONE_1], [PHONE_2], [PHONE_3]"),
        ("on 2019-03-08 408-247-8880 rang 7 times", "on 2019-03-08 [PHONE_1] rang 7 times"),
        ("+1 408 247 8880 3 people", "[PHONE_1] 3 people"),
        ("call me at 247-8880", "call me at [PHONE_1]"),
        ("to +49\u00a0171\u00a01234567\u00a0!", "to [PHONE_1]\u00a0!"),
        ("408\u2011247\u20118880, 3\u00a0rooms", "[PHONE_1], 3\u00a0rooms"),
        ("my phone number is 4082478880", "my phone number is [PHONE_1]"),
        ("card 4111 1111 1111 1111, no, 5500-0055-5555-5559", "card [CARD_1], no, [CARD_2]"),
        ("amex 378282246310005 or 3782 822463 10005", "amex [CARD_1] or [CARD_1]"),
    ],
)
def test_personal_data_becomes_a_placeholder(text: str, clean: str) -> None:
    assert redacted(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "on 2019-03-08 at 19:00:00",
        "2019-03-08T10:00:00.000+01:00",
        "2019-03-08 10:00:00 +0000",
        "03/08/2019 or 08.03.2019 or 8-3-19",
        "from 01.02.2019 10 to 12",
        "$1,234,567.00 and 1.234.567,00 € and 1 234 567 890",
        "order 4082478880, epoch 1551398400, in ms 1551398400123, in ns 1551398400123456789",
        "order 112-1234567-1234567 and ORD-408-247-8880 and #408-247-8880",
        "ISBN 978-3-16-148410-0",
        "ZIP 02134-1234, SSN-like 123-45-6789",
        "4111 1111 1111 1112 fails its check digit",
        "10.0.0.255 and v1.2.3",
        "@handle and me@localhost",
        "3 rooms for 2 nights, 2 adults 1 child, 1 2 3 4 5 6",
        "",
    ],
)
def test_dates_times_prices_and_order_numbers_stay(text: str) -> None:
    assert redacted(text) == text


def test_one_value_has_one_placeholder_over_the_whole_import() -> None:
    redactor = Redactor()
    assert [redactor.text(text) for text in ("a@b.com", "c@d.com", "A@B.COM")] == ["[EMAIL_1]", "[EMAIL_2]", "[EMAIL_1]"]
    assert redactor.counts == {"EMAIL": 2, "PHONE": 0, "CARD": 0}


def test_a_bare_number_is_known_from_the_field_that_the_agent_wrote_it_into() -> None:
    trace = Trace(
        conversation_id="c1",
        messages=(
            User("It's 4082478880, order 4082478881."),
            Assistant("", (ToolCall("book", '{"phone_number": "4082478880", "order_id": "408-247-8881"}'),)),
            Tool("book", {"contact": {"mobile": 4082478880}, "a@b.com": "x", "card": 4111111111111111}),
        ),
        metadata={"from": ["a@b.com"]},
    )
    clean = Redactor().redacted(trace)
    assert clean.messages == (
        User("It's [PHONE_1], order 4082478881."),
        Assistant("", (ToolCall("book", '{"phone_number":"[PHONE_1]","order_id":"408-247-8881"}'),)),
        Tool("book", {"contact": {"mobile": "[PHONE_1]"}, "a@b.com": "x", "card": "[CARD_1]"}),
    )
    assert clean.metadata == {"from": ["[EMAIL_1]"]}


def test_broken_arguments_are_redacted_as_the_text_they_are() -> None:
    trace = Trace(conversation_id="a@b.com", messages=(Assistant("", (ToolCall("x", '{"to": "c@d.com'),)),))
    clean = Redactor().redacted(trace)
    assert (clean.conversation_id, clean.calls[0].arguments) == ("[EMAIL_1]", '{"to": "[EMAIL_2]')


@given(traces)
def test_what_is_redacted_stays_a_trace_and_is_redacted_once(trace: Trace) -> None:
    clean = Redactor().redacted(trace)
    assert Redactor().redacted(clean) == clean
    assert [type(message) for message in clean.messages] == [type(message) for message in trace.messages]
    assert msgspec.json.encode(dump_trace(clean))


@given(st.from_regex(r"[a-z0-9]{1,9}([._+-][a-zA-Z0-9]{1,9})?@[a-z0-9]{1,9}(\.[a-z]{2,9}){1,2}", fullmatch=True))
def test_an_address_anywhere_among_the_values_is_gone(address: str) -> None:
    said: list[Any] = [User(f"I am {address}."), Tool("t", {"x": [{"y": f"<{address}>"}]}, f"no {address}")]
    call = ToolCall("t", msgspec.json.encode({"to": address}).decode())
    trace = Trace(conversation_id="c", messages=(*said, Assistant(address, (call,))), metadata={"of": address}, error=address)
    written = msgspec.json.encode(dump_trace(Redactor().redacted(trace))).decode()
    assert address.casefold() not in written.casefold()


def test_long_texts_without_blanks_are_no_trap() -> None:
    for text in ("a" * 200_000 + "@", "1-" * 100_000, "a.b@" * 50_000, "+1 (" * 50_000, "0" * 200_000):
        redacted(text)
