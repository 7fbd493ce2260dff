"""Phases: what is told and what is kept."""

import threading

import pytest

from agent_gym.lm import Meter
from agent_gym.lm.base import Completion
from agent_gym.optimization.events import Phases
from agent_gym.optimization.result import Event


def test_a_phase_is_told_from_start_to_end_with_its_progress() -> None:
    told: list[Event] = []
    phases = Phases(Meter(), told.append)
    with phases.phase("baseline", 2) as progress:
        progress(1)
        progress(1)
    assert [(event.kind, event.done, event.total) for event in told] == [
        ("phase_started", 0, 2),
        ("progress", 1, 2),
        ("progress", 2, 2),
        ("phase_finished", 2, 2),
    ]
    assert {event.phase for event in told} == {"baseline"}


def test_progress_is_not_kept() -> None:
    phases = Phases(Meter(), None)
    with phases.phase("baseline") as progress:
        progress(3)
    assert [event.kind for event in phases.events] == ["phase_started", "phase_finished"]


def test_a_phase_knows_what_it_asked_of_the_models_and_not_what_others_did() -> None:
    meter = Meter()
    account = meter.account("agent", lambda prompt, written: 0.25)
    phases = Phases(meter, None)
    for name, questions in (("baseline", 2), ("optimize", 3)):
        with phases.phase(name):
            for _ in range(questions):
                account.answered(Completion(text="Hi", prompt_tokens=10, completion_tokens=1), 1000)
    finished = [event.usage["agent"] for event in phases.events if event.kind == "phase_finished"]
    assert [(usage.requests, usage.prompt_tokens, usage.cost) for usage in finished] == [(2, 20, 0.5), (3, 30, 0.75)]


def test_a_note_is_kept_with_its_phase() -> None:
    phases = Phases(Meter(), None)
    with phases.phase("baseline"):
        phases.note("3 of 10 failed")
    assert phases.notes == ["3 of 10 failed"]
    assert [(event.phase, event.text) for event in phases.events if event.kind == "note"] == [("baseline", "3 of 10 failed")]


def test_progress_from_many_threads_adds_up() -> None:
    told: list[Event] = []
    phases = Phases(Meter(), told.append)
    with phases.phase("optimize") as progress:
        threads = [threading.Thread(target=lambda: [progress(1) for _ in range(50)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [event.done for event in told if event.kind == "progress"] == [*range(1, 401)]
    assert told[-1].done == 400


def test_a_phase_that_breaks_off_has_no_end() -> None:
    phases = Phases(Meter(), None)
    with pytest.raises(ZeroDivisionError), phases.phase("baseline"):
        raise ZeroDivisionError
    assert [event.kind for event in phases.events] == ["phase_started"]
