"""`agent-gym evaluate --schema-variant`: the same agent on the same conversations, its tools under other names."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import Ran
from paraphrases import paraphrased_sample, real_with_paraphrase

AgentGym = Callable[..., Ran]


def evaluated(agent_gym: AgentGym, data: Path, *options: str) -> dict[str, Any]:
    ran = agent_gym("evaluate", "--data", data, "--model", "offline", "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_same_examples_are_played_under_other_names(agent_gym: AgentGym, sample: Path, tmp_path: Path) -> None:
    data = paraphrased_sample(sample, tmp_path / "data")
    plain = evaluated(agent_gym, data, "--limit", "20")
    varied = evaluated(agent_gym, data, "--limit", "20", "--schema-variant", "v1")
    assert [example["id"] for example in varied["examples"]] == [example["id"] for example in plain["examples"]]
    assert [example["expected"] for example in varied["examples"]] == [example["expected"] for example in plain["examples"]]
    assert (varied["n"], varied["failed"]) == (20, 0)
    assert varied["calls"]["right"] > 0, "calls are mapped back before they are scored"
    assert [one["spent"]["prompt_tokens"] for one in varied["examples"]] != [
        one["spent"]["prompt_tokens"] for one in plain["examples"]
    ]


@pytest.mark.parametrize(("name", "has"), [("v9", "it has v1"), ("../v1", "it has v1")])
def test_an_unknown_variant_is_one_line(agent_gym: AgentGym, sample: Path, tmp_path: Path, name: str, has: str) -> None:
    data = paraphrased_sample(sample, tmp_path / "data")
    code, out, err = agent_gym("evaluate", "--data", data, "--model", "offline", "--schema-variant", name)
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith(f"agent-gym: no schema variant {name!r} of split 'dev' in ")
    assert has in line


def test_data_without_variants_says_how_to_get_them(agent_gym: AgentGym, sample: Path) -> None:
    code, _, err = agent_gym("evaluate", "--data", sample, "--model", "offline", "--schema-variant", "v1")
    assert code == 2
    assert "it has none; bring an archive of SGD-X there with `agent-gym data fetch --from ARCHIVE`" in err
    assert len(err.splitlines()) == 1


@pytest.mark.real
def test_the_real_paraphrase_is_played(agent_gym: AgentGym, sgd: Path, tmp_path: Path) -> None:
    data = real_with_paraphrase(sgd, tmp_path / "real")
    plain = evaluated(agent_gym, data, "--limit", "20")
    varied = evaluated(agent_gym, data, "--limit", "20", "--schema-variant", "v1")
    assert (varied["n"], varied["failed"], plain["n"]) == (20, 0, 20)
    assert [example["id"] for example in varied["examples"]] == [example["id"] for example in plain["examples"]]
    code, _, err = agent_gym("evaluate", "--data", data, "--model", "offline", "--schema-variant", "v77")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "no schema variant 'v77' of split 'dev'" in err
