#!/usr/bin/env python3
"""Write our own small data set in the exact format of Schema-Guided Dialogue.

    python scripts/make_sample.py --seed 7 --to data/sample

Ten invented services talk in `sample_world/`; two of them are kept out of train, so that dev and test show how an agent does on
tools it has never seen. As in SGD, the files of a split are grouped by service, and dialogues over two services come last. The
same seed writes the same bytes on every machine and Python version.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sample_world.play import play
from sample_world.services import Service, load_services
from sample_world.words import Dice

UNSEEN = ("Campsites_1", "Vets_1")
"""Services that only dev and test hold."""
SPLITS = {"train": (20, 3, 16), "dev": (5, 1, 15), "test": (4, 1, 10)}
"""For each split: dialogues of one service (per service), files with two services, dialogues in each of these."""


def main() -> None:
    """Read the command line and write the data set."""
    parser = argparse.ArgumentParser(description="Write the sample data set in SGD's format.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--to", type=Path, default=Path("data/sample"))
    options = parser.parse_args()
    for path, text in files(options.seed):
        target: Path = options.to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("ascii"))
    print(f"wrote {options.to}")


def files(seed: int) -> Iterator[tuple[str, str]]:
    """Every file of the data set: its path inside the data set and its text."""
    world = load_services(seed)
    for split, (alone, mixed_files, mixed) in SPLITS.items():
        services = [service for name, service in world.items() if split != "train" or name not in UNSEEN]
        yield f"{split}/schema.json", json.dumps([service.schema() for service in services], indent=2) + "\n"
        groups = [[[service]] * alone for service in services]
        dice = Dice(seed, split, "pairs")
        groups += [[_pair(services, dice) for _ in range(mixed)] for _ in range(mixed_files)]
        for number, group in enumerate(groups, start=1):
            yield f"{split}/dialogues_{number:03d}.json", _written(_dialogues(seed, split, number, group))


def _pair(services: Sequence[Service], dice: Dice) -> list[Service]:
    first = dice.pick(services)
    return [first, dice.pick([service for service in services if service is not first])]


def _dialogues(seed: int, split: str, number: int, group: Sequence[Sequence[Service]]) -> Iterator[dict[str, Any]]:
    for index, services in enumerate(group):
        turns = play(services, Dice(seed, split, number, index))
        yield {"dialogue_id": f"{number}_{index:05d}", "services": [service.name for service in services], "turns": turns}


def _written(dialogues: Iterator[dict[str, Any]]) -> str:
    """JSON with one turn a line: small, and a change shows as the turns it touches."""
    texts: list[str] = []
    for dialogue in dialogues:
        turns = ",\n".join(json.dumps(turn, sort_keys=True) for turn in dialogue["turns"])
        head = json.dumps({key: dialogue[key] for key in ("dialogue_id", "services")})
        texts.append(f'{head[:-1]}, "turns": [\n{turns}\n]}}')
    return "[\n" + ",\n".join(texts) + "\n]\n"


if __name__ == "__main__":
    main()
