"""Reviews made from a seed, in the Amazon Customer Reviews schema, whose text carries the stars.

Not clean on purpose: reviewers hedge, contradict their stars, wander off and mistype. The
`drifted` flavour is another world: other goods, other words, other lengths, unhappier people.
https://s3.amazonaws.com/amazon-reviews-pds/readme.html
"""

from __future__ import annotations

import datetime as dt
import gzip
import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from cli import vocabulary

COLUMNS = (
    "marketplace",
    "customer_id",
    "review_id",
    "product_id",
    "product_parent",
    "product_title",
    "product_category",
    "star_rating",
    "helpful_votes",
    "total_votes",
    "vine",
    "verified_purchase",
    "review_headline",
    "review_body",
    "review_date",
)
STARS = (1, 2, 3, 4, 5)
SHARES = (0.10, 0.06, 0.09, 0.16, 0.59)
DRIFTED_SHARES = (0.40, 0.18, 0.14, 0.11, 0.17)
OPINIONATED = 0.45  # share of sentences that say what the reviewer thinks
ASTRAY = 0.30  # share of those that sound one star off
TYPOS = 0.08  # share of sentences with a mistyped word
FIRST_DAY = dt.date(2012, 1, 1)
DAYS = 1300


def rows(count: int, seed: int, drifted: bool = False) -> Iterator[dict[str, str]]:
    """`count` reviews, the same ones for the same seed."""
    rng = random.Random(f"{seed}-{drifted}")
    world = vocabulary.DRIFTED if drifted else vocabulary.USUAL
    shares = list(accumulate(DRIFTED_SHARES if drifted else SHARES))
    goods = _goods(rng, world)
    for _ in range(count):
        star = rng.choices(STARS, cum_weights=shares)[0]
        yield _row(rng, world, rng.choice(goods), star, drifted)


def write(path: str | Path, count: int, seed: int, drifted: bool = False) -> Path:
    """The reviews as a gzipped, unquoted, tab-separated file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(row.values()) for row in rows(count, seed, drifted)]
    content = ("\n".join(lines) + "\n").encode()
    # No time in the header: the same seed gives the same bytes.
    path.write_bytes(gzip.compress(content, compresslevel=5, mtime=0))
    return path


def _goods(rng: random.Random, world: vocabulary.World) -> list[tuple[str, str, str, str]]:
    """Products of each category: (category, noun, title, product id)."""
    return [
        (
            category,
            noun,
            f"{rng.choice(vocabulary.MAKERS)} {noun} {rng.randint(100, 990)}",
            _id(rng),
        )
        for category, domain in world.items()
        for noun in domain.nouns
        for _ in range(3)
    ]


def _row(
    rng: random.Random,
    world: vocabulary.World,
    good: tuple[str, str, str, str],
    star: int,
    drifted: bool,
) -> dict[str, str]:
    category, noun, title, product = good
    votes = int(rng.expovariate(0.6))
    values = (
        "US",
        str(rng.randint(10_000_000, 53_000_000)),
        "R" + _id(rng) + _id(rng)[:3],
        product,
        str(int(product[1:], 36) % 999_999_999),
        title,
        category,
        str(star),
        str(rng.randint(0, votes)),
        str(votes),
        "Y" if rng.random() < 0.01 else "N",
        "Y" if rng.random() < 0.85 else "N",
        _headline(rng, noun, star),
        _body(rng, world[category], noun, star, drifted),
        (FIRST_DAY + dt.timedelta(days=rng.randrange(DAYS))).isoformat(),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _id(rng: random.Random) -> str:
    return "B" + "".join(rng.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=9))


def _headline(rng: random.Random, noun: str, star: int) -> str:
    if rng.random() < 0.25:
        return vocabulary.PLAIN_HEADLINES[star - 1]
    words = rng.choice(vocabulary.HEADLINES[_mood(rng, star) - 1])
    return words.format(noun=noun)


def _body(
    rng: random.Random, domain: vocabulary.Domain, noun: str, star: int, drifted: bool
) -> str:
    sentences = [_sentence(rng, domain, noun, star) for _ in range(_length(rng, drifted))]
    return " ".join(sentences)


def _length(rng: random.Random, drifted: bool) -> int:
    """Sentences: usually a handful; in the drifted world a shout or a long story."""
    if not drifted:
        return min(1 + int(rng.lognormvariate(1.0, 0.7)), 25)
    return 1 if rng.random() < 0.5 else rng.randint(10, 24)


def _mood(rng: random.Random, star: int) -> int:
    """The star that a sentence sounds like."""
    if rng.random() >= ASTRAY:
        return star
    return min(max(star + rng.choice((-1, 1)), 1), 5)


def _sentence(rng: random.Random, domain: vocabulary.Domain, noun: str, star: int) -> str:
    if rng.random() < OPINIONATED:
        text = rng.choice(vocabulary.OPINIONS[_mood(rng, star) - 1])
    else:
        text = rng.choice(vocabulary.FACTS)
    text = text.format(
        noun=noun,
        part=rng.choice(domain.parts),
        use=rng.choice(domain.uses),
        who=rng.choice(vocabulary.PEOPLE),
        time=rng.choice(vocabulary.TIMES),
    )
    text = text[0].upper() + text[1:] + rng.choice(vocabulary.ENDINGS)
    return _mistyped(rng, text) if rng.random() < TYPOS else text


def _mistyped(rng: random.Random, text: str) -> str:
    """Two neighbouring letters change places, or one is lost."""
    at = rng.randrange(1, len(text) - 2)
    if rng.random() < 0.5:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :]
