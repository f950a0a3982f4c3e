"""Another cast: the same plays, in which everybody has another name.

A model that reads 28 plays several times learns who speaks in them by heart. That is of no use in the next play, where
it has met nobody: there it should take the names from the scene it is reading. So in every epoch each scene gets
invented names, the same throughout the scene; then there is nothing to know by heart, and reading is what pays.

    HORATIO:                            CAPNDY:
    Hail to your lordship!        ->    Hail to your lordship!
    HAMLET:                             ESCALTINE:
    Horatio, or I do forget myself.     Capndy, or I do forget myself.

Such changes of a training text that leave its meaning alone are called augmentation. Names are found in the text
itself: the capital words of the speakers' labels that never occur in small letters (so not KING or LADY). A text
without such labels stays as it is.

What this file does not do: change a text that is measured on.
"""

import random
import re

LABEL = re.compile(r"^([A-Z][A-Z &'-]*):$", re.MULTILINE)
SCENE = re.compile(r"^(?=SCENE )", re.MULTILINE)
LONGEST = 12  # letters of an invented name
NAME = re.compile(r"\b[A-Z][A-Za-z]{2,}\b")


class Casting:
    """Versions of a text that differ in their names only.

    Arguments: text: what to vary. seed: of the invented names.

    >>> text = Casting(hamlet).version(epoch=0)                              # doctest: +SKIP
    """

    def __init__(self, text, seed=0):
        self.scenes, self.seed = SCENE.split(text), seed
        small = set(re.findall(r"\b[a-z]+\b", text))
        labels = {word for label in LABEL.findall(text) for word in re.findall(r"[A-Z]{3,}", label)}
        self.names = sorted(word for word in labels if word.lower() not in small)
        self.known = frozenset(self.names)

    def version(self, epoch):
        """The text as it is read in this epoch; the same epoch always gives the same text."""
        rng = random.Random(f"{self.seed} {epoch}")
        return "".join(self._recast(scene, rng) for scene in self.scenes)

    def _recast(self, scene, rng):
        cast = {}

        def rename(found):
            word = found[0]
            name = word.upper()
            if name not in self.known or word not in (name, name.title()):
                return word
            if name not in cast:
                cast[name] = self._invent(rng, taken=cast.values())
            return cast[name] if word == name else cast[name].title()

        return NAME.sub(rename, scene)

    def _invent(self, rng, taken):
        """The front of one name and the back of another, cut anywhere; nobody else of the scene has it.

        Odd names are welcome: they cannot be guessed from how names usually go.
        """
        for _ in range(100):
            front, back = rng.choice(self.names), rng.choice(self.names)
            name = front[: rng.randint(2, max(2, len(front) - 2))] + back[rng.randint(1, max(1, len(back) - 2)) :]
            if name[:LONGEST] not in taken:
                break
        return name[:LONGEST]
