"""What only Duramen has: its instructions are counted, beside those of the same without it."""

from bench import texts
from bench.scenario import scenario
from bench.scenarios.plain import three_arguments


@scenario("journal", "asynchronous, with a journal", peers=("duramen",), pinned=False, asynchronous=True)
def journaled(peer, output):
    return three_arguments(peer, peer.logger(peer.journaled_file(output.path, texts.STANDARD)))
