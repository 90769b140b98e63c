"""Draws how many times faster than the standard library each package is, as SVG."""

import math
from html import escape

from bench.goals import GOALS
from bench.peers import PEERS
from bench.scenario import SCENARIOS

COLOURS = {
    "duramen": "#8a3b12",
    "duramen-imported": "#cf8a5b",
    "picologging": "#4c78a8",
    "logxide": "#59a14f",
    "loguru": "#9c6ade",
    "structlog": "#79706e",
}
LEFT, RIGHT, TOP = 330, 60, 70
WIDTH, BAR, GAP = 960, 9, 12
LABEL = 54
LEAST, MOST = 0.1, 200.0


def _position(ratio):
    """The x of a ratio, on a logarithmic scale."""
    part = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def draw(summaries, title):
    """The picture as text; ``summaries`` is {scenario: {peer: Summary}} of one interpreter.

    Only what delivers the standard library's output has a bar.
    """
    goals = {goal.scenario: goal.at_least for goal in GOALS if goal.against == "standard"}
    parts, y = [], TOP
    for name, peers in summaries.items():
        bars = [(peer, peers[peer].ratio) for peer in COLOURS if peer in peers and peers[peer].delivers]
        if not bars:
            continue
        height = len(bars) * BAR
        label = escape(SCENARIOS[name].title.replace("`", ""))
        label = label if len(label) <= LABEL else label[: LABEL - 1] + "…"
        parts.append(_text(LEFT - 8, y + height / 2 + 4, label, "end"))
        for number, (peer, ratio) in enumerate(bars):
            parts.append(_bar(peer, ratio, y + number * BAR))
        if name in goals:
            x = _position(goals[name])
            parts.append(
                f'<path d="M{x:.1f} {y - 2}V{y + height + 2}" stroke="#000" stroke-dasharray="2 2"/>'
            )
        y += height + GAP
    return "\n".join([_head(title, y + 20), *_scale(y), *_legend(), *parts, "</svg>\n"])


def _head(title, height):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        f' font-size="11">\n<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text x="12" y="22" font-size="15">{escape(title)}</text>'
    )


def _bar(peer, ratio, y):
    start, end = sorted((_position(1), _position(ratio)))
    width = max(end - start, 1)
    return (
        f'<rect x="{start:.1f}" y="{y}" width="{width:.1f}" height="{BAR - 1}" fill="{COLOURS[peer]}"/>'
        f'<text x="{end + 3:.1f}" y="{y + BAR - 2}" font-size="8">{ratio:.3g}</text>'
    )


def _scale(bottom):
    for ratio in (0.1, 1, 10, 100):
        x = _position(ratio)
        yield f'<path d="M{x:.1f} {TOP - 8}V{bottom}" stroke="#ccc"/>'
        yield _text(x, bottom + 12, f"{ratio:g}x", "middle")


def _legend():
    x = 12
    for peer, colour in COLOURS.items():
        yield f'<rect x="{x}" y="36" width="10" height="10" fill="{colour}"/>'
        yield _text(x + 14, 45, PEERS[peer].title, "start")
        x += 30 + 6 * len(PEERS[peer].title)
    yield _text(x, 45, "dashed: goal", "start")


def _text(x, y, text, anchor):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
