"""The neighbour scores again, as `ranker.evidence` words them, with dicts instead of kernels."""

from collections import defaultdict

from ranker.candidates import SCORES, Candidates
from ranker.evidence import FAR_GAP_MS, PAIRED, SOURCES
from ranker.items import ItemIndex
from ranker.landmark import Landmark
from ranker.pairs import TIE
from ranker.request import Request

FAINT = 1e-9  # what is left of a pair but for rounding: it may count as support, or not


def scores_of(candidates: Candidates, b: int) -> dict[int, dict[str, float]]:
    """Return slot -> score name -> value of one list."""
    return {
        int(slot): dict(zip(SCORES, candidates.scores[b, i].tolist(), strict=True))
        for i, slot in enumerate(candidates.slots[b])
        if slot >= 0
    }


def distinct(history: list[int]) -> list[int]:
    return list(dict.fromkeys(slot for slot in history if slot >= 0))


def own_pairs(request: Request, landmark: Landmark) -> dict[tuple[int, int], list[float]]:
    """Return (x, c) -> [forward, together] that is left of what the history itself has added."""
    touched = [
        (int(slot), int(ts))
        for slot, ts in list(zip(request.history, request.history_times, strict=True))[:50]
    ]
    pairs: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for i in range(request.uncounted, len(touched)):
        c, then = touched[i]
        earlier: dict[int, int] = {}
        for x, ts in touched[i + 1 :]:
            if c >= 0 and x >= 0 and x not in earlier and len(earlier) < PAIRED:
                earlier[x] = ts
        for distance, (x, ts) in enumerate(earlier.items()):
            left = landmark.left(request.now) / landmark.left(then)
            half = 0.5 if then - ts > FAR_GAP_MS else 1.0
            pairs[x, c][0] += left * half / (distance + 1)
            if x != c:
                pairs[x, c][1] += left
                pairs[c, x][1] += left
    return pairs


def reference_neighbours(request: Request, index: ItemIndex) -> dict[int, dict[str, float]]:
    """Sum the neighbour scores as `ranker.evidence` words them, with dicts; count the faint."""
    rows, own = index.columns, own_pairs(request, index.landmark)
    now = index.landmark.left(request.now)
    sums: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    mine = distinct(request.history[:50].tolist())
    for d, x in enumerate(mine[:SOURCES]):
        out = max(rows.out_weight[x] * now - sum(own[x, c][0] for c in mine if (x, c) in own), 0)
        for j in range(rows.degree[x]):
            c = int(rows.neighbours[x, j])
            tie = dict(zip(TIE, rows.ties[x, j], strict=True))
            forward = tie["forward"] * now
            together = (tie["followed"] + tie["preceded"]) * now
            into = rows.in_weight[c] * now
            if c in mine:
                forward = max(forward - own.get((x, c), [0, 0])[0], 0)
                together = max(together - own.get((x, c), [0, 0])[1], 0)
                into = max(into - sum(own[y, c][0] for y in mine if (y, c) in own), 0)
            chance = forward / (out + 1)
            cosine = together / ((rows.reach[x] * now + 5) * (rows.reach[c] * now + 5)) ** 0.5
            lift = forward / ((out + 5) * (into + 5)) ** 0.5
            ended = tie["bought"] / max(tie["forward"], 1e-30)
            sums[c]["bought"] += chance * ended / (d + 1)
            for score, value in (("forward", chance), ("cosine", cosine), ("lift", lift)):
                sums[c][score] += value / (d + 1)
                if d == 0:
                    sums[c][f"{score}_last"] = value
            sums[c]["support"] += chance + cosine > FAINT
            sums[c]["faint"] += chance + cosine <= FAINT
    return sums
