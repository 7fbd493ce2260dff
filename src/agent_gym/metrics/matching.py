"""Expected calls and made calls, paired one to one so that the total is greatest.

The assignment problem, solved exactly by the Hungarian method (Kuhn 1955; this form after Jonker and Volgenant 1987). Time
grows with the square of the smaller number and with the larger one: neither a long plan nor a flood of calls is a hazard.
"""

from collections.abc import Sequence

Pairs = list[tuple[int, int]]


def best_pairs(values: Sequence[Sequence[float]]) -> Pairs:
    """Pairs (row, column), each row and column in one at most, of the greatest total value; pairs worth nothing are left out.

    Args:
        values: what each pair is worth, none negative; all rows equally long.
    """
    height, width = len(values), len(values[0]) if values else 0
    if height > width:
        return sorted((row, column) for column, row in best_pairs(list(zip(*values, strict=True))))
    taken_by: list[int | None] = [None] * width
    row_price, column_price = [0.0] * height, [0.0] * width
    for row in range(height):
        _seat(row, values, taken_by, row_price, column_price)
    pairs = ((row, column) for column, row in enumerate(taken_by) if row is not None)
    return sorted((row, column) for row, column in pairs if values[row][column] > 0)


def _seat(
    newcomer: int,
    values: Sequence[Sequence[float]],
    taken_by: list[int | None],
    row_price: list[float],
    column_price: list[float],
) -> None:
    """Give one more row a column, moving earlier rows along the cheapest chain of changes.

    Prices keep `row_price + column_price >= value` for every pair, with equality for those that are taken: what proves that no
    other pairing is worth more.
    """
    width = len(taken_by)
    slack, reached_from = [float("inf")] * width, [-1] * width
    visited: list[int] = []
    free, row, last = list(range(width)), newcomer, -1
    while True:
        for column in free:
            loss = row_price[row] + column_price[column] - values[row][column]
            if loss < slack[column]:
                slack[column], reached_from[column] = loss, last
        nearest = min(free, key=slack.__getitem__)
        step = slack[nearest]
        row_price[newcomer] -= step
        for column in visited:
            owner = taken_by[column]
            assert owner is not None
            row_price[owner] -= step
            column_price[column] += step
        for column in free:
            slack[column] -= step
        free.remove(nearest)
        owner = taken_by[nearest]
        if owner is None:
            break
        visited.append(nearest)
        row, last = owner, nearest
    while nearest != -1:
        before = reached_from[nearest]
        taken_by[nearest] = newcomer if before == -1 else taken_by[before]
        nearest = before
