"""Ranking texts by how well they fit a question: BM25 (Robertson and Zaragoza, 2009)."""

import math
import re
from collections import Counter
from collections.abc import Sequence

# Words of questions that say nothing of what is asked.
EMPTY = re.compile("and|are|but|can|does|for|from|how|that|the|this|what|when|which|who|why")
# How much a word's repetition counts, and how much a text's length does.
K1, B = 1.2, 0.75


def words(text: str) -> list[str]:
    """Return a text's words that count, without the endings that English gives them."""
    found = re.findall(r"\w{3,}", text.lower())
    return [re.sub(r"(ing|ed|es|s)$", "", word) for word in found if not EMPTY.fullmatch(word)]


def ranked(question: str, texts: Sequence[str]) -> list[int]:
    """Return which texts have a word of the question in them, the best first."""
    bags = [Counter(words(text)) for text in texts]
    lengths = [bag.total() for bag in bags]
    mean = sum(lengths) / len(texts) if texts else 0.0
    scores = [0.0] * len(texts)
    for word in set(words(question)):
        having = [number for number, bag in enumerate(bags) if word in bag]
        rarity = math.log(1 + (len(texts) - len(having) + 0.5) / (len(having) + 0.5))
        for number in having:
            count, length = bags[number][word], lengths[number] / mean
            scores[number] += rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * length))
    best = sorted(range(len(texts)), key=lambda number: -scores[number])
    return [number for number in best if scores[number]]
