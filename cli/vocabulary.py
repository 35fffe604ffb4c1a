"""The words that generated reviews are made of."""

from __future__ import annotations

from typing import NamedTuple


class Domain(NamedTuple):
    """What a kind of goods is called, has, and is used for."""

    nouns: tuple[str, ...]
    parts: tuple[str, ...]
    uses: tuple[str, ...]


World = dict[str, Domain]

USUAL: World = {
    "Digital_Software": Domain(
        ("tax program", "antivirus", "photo editor", "office suite", "backup tool"),
        ("installer", "interface", "license key", "update", "menu", "download", "activation"),
        ("file my taxes", "edit pictures", "protect my laptop", "write letters", "back up files"),
    ),
    "Beauty": Domain(
        ("hair dryer", "straightener", "face cream", "curling iron", "shampoo"),
        ("nozzle", "cord", "heat setting", "scent", "bottle", "diffuser", "bristles"),
        ("dry my hair", "style my curls", "smooth frizz", "travel", "calm my skin"),
    ),
    "Baby": Domain(
        ("pacifier", "stroller", "baby monitor", "bottle set", "car seat"),
        ("nipple", "strap", "clip", "wheel", "fabric", "buckle", "speaker"),
        ("get the baby to sleep", "feed the twins", "walk in the park", "soothe my son"),
    ),
    "Kitchen": Domain(
        ("coffee maker", "blender", "knife set", "toaster", "frying pan"),
        ("lid", "blade", "handle", "carafe", "coating", "timer", "base"),
        ("make breakfast", "brew espresso", "chop onions", "fry eggs", "mix smoothies"),
    ),
}

DRIFTED: World = {
    "Major_Appliances": Domain(
        ("microwave", "dishwasher", "refrigerator", "range hood", "washing machine"),
        ("door latch", "compressor", "turntable", "drain hose", "control board", "magnetron"),
        ("reheat leftovers", "wash a full load", "freeze meat", "rinse plates", "vent steam"),
    ),
    "Lawn_and_Garden": Domain(
        ("lawn mower", "hedge trimmer", "garden hose", "leaf blower", "chainsaw"),
        ("carburetor", "pull cord", "spark plug", "sprinkler", "deck", "trigger", "battery pack"),
        ("mow the slope", "trim bushes", "water tomatoes", "clear leaves", "cut firewood"),
    ),
}

MAKERS = ("Acme", "Norvia", "Belco", "Quillon", "Tandra", "Ostrel", "Kivo", "Marlow", "Zentry")
PEOPLE = ("my wife", "my husband", "my sister", "my mother", "a friend", "my neighbor", "my son")
TIMES = ("two days", "a week", "three weeks", "a month", "six months", "a year", "the holidays")
ENDINGS = (".", ".", ".", ".", ".", "!", "!", "...", ".<br />", " .")

PLAIN_HEADLINES = ("One Star", "Two Stars", "Three Stars", "Four Stars", "Five Stars")
HEADLINES = (
    ("waste of money", "do not buy this {noun}", "terrible", "broken on arrival", "avoid"),
    ("disappointed", "not what I hoped for", "poor quality {noun}", "would not buy again", "meh"),
    ("it is okay", "average {noun}", "good and bad", "does the job, barely", "so so"),
    ("good {noun}", "pretty good", "nice, with small flaws", "happy overall", "works well"),
    ("love it", "best {noun} ever", "perfect", "highly recommended", "excellent {noun}"),
)

# What people of one to five stars say.
OPINIONS = (
    (
        "this {noun} is a complete waste of money",
        "it broke after {time} and nobody answered my emails",
        "the {part} was defective right out of the box",
        "worst {noun} I have ever bought",
        "I returned it and asked for a refund",
        "the {part} fell apart and it never worked",
        "do not buy this, it is garbage",
        "horrible, useless to {use}",
        "I am furious that they sell this junk",
        "it is a scam and I want my money back",
    ),
    (
        "I was disappointed with the {part}",
        "the {noun} feels cheap and flimsy",
        "it stopped working well after {time}",
        "I expected more for the price",
        "unfortunately the {part} is poorly made",
        "I would not buy this {noun} again",
        "it hardly manages to {use}",
        "sadly it is not worth it, though one thing works",
        "the {part} is weak and annoying",
        "I had trouble with it from the start",
    ),
    (
        "it is okay, nothing special",
        "the {noun} does the job but the {part} could be better",
        "average quality, fair for the price",
        "some things are fine and some are not",
        "I have mixed feelings about the {part}",
        "it is decent to {use} if you are patient",
        "not bad, not great either",
        "the {part} is so so",
        "it works, but I may look for another {noun}",
        "three stars because the {part} is only adequate",
    ),
    (
        "I like this {noun}, only the {part} could be improved",
        "good value and it works well",
        "pretty happy with it overall",
        "the {part} is solid, with one small complaint",
        "it does what it should and it is easy to {use}",
        "a nice {noun} for the price",
        "almost perfect, the {part} is a bit stiff",
        "I would recommend it, minor flaws aside",
        "works fine so far, good purchase",
        "very good, but not quite five stars",
    ),
    (
        "I love this {noun}",
        "it works perfectly and the {part} is amazing",
        "best {noun} I have ever owned",
        "I highly recommend it to everyone",
        "excellent quality, exceeded my expectations",
        "so easy to {use}, I am delighted",
        "the {part} is fantastic and beautiful",
        "great product, great price, fast shipping",
        "{who} loves it and wants another one",
        "perfect, I could not be happier",
    ),
)

# What people of any star say.
FACTS = (
    "I bought this {noun} to {use}",
    "{who} has had one for {time}",
    "I have used it for {time} now",
    "it came with a {part} in the box",
    "the {part} is on the left side",
    "we needed something to {use}",
    "I ordered it for {who}",
    "my old {noun} lasted for {time}",
    "the box arrived after {time}",
    "I read many reviews before I chose this {noun}",
    "{who} told me about it",
    "I mostly use it to {use}",
    "you have to attach the {part} first",
    "it is my second {noun}",
    "we use it every day to {use}",
    "the color is the same as in the picture",
)
