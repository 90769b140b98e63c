"""What many measurements of one thing come to: medians, spread, ratios."""

import statistics
from dataclasses import dataclass

from bench import checks
from bench.measure import Result


@dataclass(frozen=True)
class Summary:
    """The rounds of one peer in one scenario; times are nanoseconds for one record."""

    call: float = 0.0
    fastest: float = 0.0
    slowest: float = 0.0
    end_to_end: float = 0.0
    #: How many times faster than the standard library: the median over the rounds.
    ratio: float = 0.0
    end_to_end_ratio: float = 0.0
    verdict: str = checks.SAME
    detail: str = ""
    missing: str = ""
    behind: float = 0.0

    @property
    def cost(self):
        """The caller's cost, or the time to the end where much is done behind the caller's back."""
        return self.end_to_end if self.finishes_later else self.call

    @property
    def finishes_later(self):
        """More than a fifth of the caller's cost is spent elsewhere."""
        return self.behind > 0.2 * self.call

    @property
    def delivers(self):
        """It has times, and what it writes is what the standard library writes."""
        return not self.missing and self.verdict == checks.SAME


def summarise(rounds, standard):
    """``rounds`` and ``standard``, a ``Result`` for each round of a peer and of the standard library."""
    missing = next((one for one in rounds if one.missing), None)
    if missing or not rounds:
        missing = missing or Result(missing="unsupported", detail="not measured")
        return Summary(missing=missing.missing, detail=missing.detail)
    wrong = next((one for one in rounds if one.verdict != checks.SAME), rounds[0])
    calls = [one.call for one in rounds]
    return Summary(
        call=statistics.median(calls),
        fastest=min(calls),
        slowest=max(calls),
        end_to_end=statistics.median(one.end_to_end for one in rounds),
        ratio=_ratio([one.call for one in standard], calls),
        end_to_end_ratio=_ratio([one.end_to_end for one in standard], [one.end_to_end for one in rounds]),
        verdict=wrong.verdict,
        detail=wrong.detail,
        behind=statistics.median(one.behind for one in rounds),
    )


def _ratio(standard, own):
    """The median of the ratios within a round: what slows the machine for a while slows both."""
    ratios = [left / right for left, right in zip(standard, own) if left and right]
    return statistics.median(ratios) if ratios else 0.0


def summarise_all(results):
    """{scenario: {peer: Summary}} from {scenario: {peer: [Result]}}."""
    return {
        scenario: {peer: summarise(rounds, peers["standard"]) for peer, rounds in peers.items()}
        for scenario, peers in results.items()
    }
