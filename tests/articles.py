"""Two hundred short texts made for the project: 25 subjects, each seen in 8 ways."""

from __future__ import annotations

from typing import Any

SUBJECTS = (
    ("bread oven", "baker"),
    ("sailing boat", "skipper"),
    ("beehive", "beekeeper"),
    ("greenhouse", "gardener"),
    ("steam engine", "driver"),
    ("aquarium", "keeper"),
    ("church organ", "organist"),
    ("weather station", "observer"),
    ("printing press", "printer"),
    ("mountain hut", "warden"),
    ("vineyard", "grower"),
    ("lighthouse", "attendant"),
    ("pottery kiln", "potter"),
    ("telescope", "astronomer"),
    ("water mill", "miller"),
    ("bicycle", "mechanic"),
    ("library", "librarian"),
    ("glacier", "surveyor"),
    ("dairy", "cheesemaker"),
    ("loom", "weaver"),
    ("tram", "conductor"),
    ("orchard", "picker"),
    ("violin", "luthier"),
    ("salt pan", "raker"),
    ("stable", "groom"),
)
VIEWS = (
    ("Care", "The {0} needs care every morning, and the {1} begins with what the night has left."),
    ("Repair", "How to repair a {0}: find the broken part, take it out, and let the {1} judge it."),
    ("Winter", "In winter the {0} stands cold; frost and wind ask more of the {1} than heat does."),
    ("Water", "Water is the enemy of a {0}, says the {1}, but without clean water nothing works."),
    (
        "History",
        "The first {0} of the valley is two hundred years old; no {1} remembers its maker.",
    ),
    (
        "Cost",
        "What a {0} costs in a year is more than the {1} earns by it, repair and wood included.",
    ),
    ("Night", "At night the {1} listens to the {0}, for a sound that changes tells of a fault."),
    ("Teaching", "A {1} teaches by showing: ten days beside the {0} are worth a shelf of books."),
)
FIELDS = {"subject": {"type": "keyword"}, "view": {"type": "keyword"}, "number": {"type": "long"}}


def article_documents() -> dict[str, dict[str, Any]]:
    """The documents by id, ``"0"`` to ``"199"``; `FIELDS` maps what is neither title nor text."""
    found: dict[str, dict[str, Any]] = {}
    for view, sentence in VIEWS:
        for subject, person in SUBJECTS:
            number = len(found)
            found[str(number)] = {
                "title": f"{view}: {subject}",
                "text": sentence.format(subject, person),
                "subject": subject,
                "view": view.lower(),
                "number": number,
            }
    return found
