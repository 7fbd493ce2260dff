"""How much of what the user wanted an episode brought about."""

import msgspec


class Achievement(msgspec.Struct, frozen=True):
    """Pieces of a goal: transactional calls to be made with right arguments, and fields to be told to the user."""

    wanted: int
    reached: int
    missing: tuple[str, ...] = ()
    """One sentence for each piece that was not reached."""

    @property
    def success(self) -> bool:
        """Every piece was reached."""
        return self.reached == self.wanted

    @property
    def share(self) -> float:
        """Of the pieces, those that were reached, in [0, 1]; 1 where nothing was wanted."""
        return self.reached / self.wanted if self.wanted else 1.0
