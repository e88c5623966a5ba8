#!/usr/bin/env python3
"""Write the demo model's corpus: questions and answers about the Lantern Isles.

world.json holds the names and the phrasings, in English and Bengali; this script draws the
facts (who lives where, who keeps what) from a seed and puts them into the phrasings. One line of
train.jsonl and heldout.jsonl is {"user": question, "assistant": answer}. Standard library only; the
same seed gives the same bytes.

What is held out, and from what:
  facts         For a fact and a language, at most one of its 5 to 8 phrasings is kept out of
                train.jsonl. The fact is learned from the others, the phrasing from other facts.
  combinations  Two-step, counting and sum questions are kept out whole: all their phrasings, in
                both languages. The single facts they join are in train.jsonl. heldout.jsonl has
                one phrasing of each per language, to stay small.
No question of heldout.jsonl occurs in train.jsonl; the script checks it.
"""

import argparse
import itertools
import json
import random
import unicodedata
from pathlib import Path

LANGUAGES = ("en", "bn")
HELD_OUT_FACTS = 0.22         # share of (fact, language) with one phrasing held out
HELD_OUT_COMBINATIONS = 0.08  # share of combinations held out whole
PAIRS = 400                   # pairs of people in counting questions, of 1,770
SUMS = 600
GREETING_COPIES = 12          # there are few of them, and they should be learned too

BENGALI_DIGITS = str.maketrans("0123456789", "".join(chr(0x9E6 + d) for d in range(10)))
AA = chr(0x9BE)                                              # vowel sign AA
VOWEL_SIGNS = {chr(c) for c in (0x9BE, 0x9BF, 0x9C0, 0x9C1, 0x9C2, 0x9C7, 0x9CB)}
VOWELS = {chr(c) for c in range(0x985, 0x995)}               # independent vowels
RA, E, TA, YA, NUKTA = (chr(c) for c in (0x9B0, 0x9C7, 0x9A4, 0x9AF, 0x9BC))


def genitive(word):
    """Bengali "of": -r after a vowel sign, -yer after a full vowel, else -er."""
    if word[-1] in VOWEL_SIGNS:
        return word + RA
    if word[-1] in VOWELS:
        return word + YA + NUKTA + E + RA
    return word + E + RA


def locative(word):
    """Bengali "in": -y after AA, -te after another vowel, else -e."""
    if word[-1] == AA:
        return word + YA + NUKTA
    if word[-1] in VOWEL_SIGNS or word[-1] in VOWELS:
        return word + TA + E
    return word + E


def fill(template, slots, language):
    """Put the slots into the template: pairs by language, numbers in its digits, Bengali cases."""
    words = {}
    for name, value in slots.items():
        if isinstance(value, int):
            word = str(value).translate(BENGALI_DIGITS) if language == "bn" else str(value)
        elif name == "names":
            names = [pair[LANGUAGES.index(language)] for pair in value]
            last = " " + ("and" if language == "en" else chr(0x993)) + " "
            word = last.join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
        else:
            word = value[LANGUAGES.index(language)]
        words[name] = word
        if language == "bn" and word:
            words[name + "_gen"] = genitive(word)
            words[name + "_loc"] = locative(word)
    text = template.format(**words)
    if language == "en":
        text = text[0].upper() + text[1:]
    # Composed and decomposed letters would be different tokens; one form is used everywhere.
    return unicodedata.normalize("NFC", text)


def draw_world(names, rng):
    """Return (villages, people, islands): dictionaries whose keys are the slots of world.json."""
    def shuffled(items):
        return rng.sample(items, len(items))

    islands = [{"i": i, "h": h, "c": c} for i, h, c in
               zip(names["islands"], shuffled(names["hills"]), shuffled(names["colours"]))]
    villages = []
    for k, (v, f, e, l) in enumerate(zip(shuffled(names["villages"]), shuffled(names["foods"]),
                                         shuffled(names["festivals"]),
                                         shuffled(names["landmarks"] * 2))):
        villages.append({"v": v, "i": islands[k // 4]["i"], "f": f, "e": e, "l": l,
                         "s": rng.choice(names["seasons"]), "n": rng.randint(20, 95)})
    for k, island in enumerate(islands):
        island["v"] = rng.choice(villages[4 * k:4 * k + 4])["v"]
        # The villages of an island lie along one road, so distances agree with each other.
        for village, mile in zip(villages[4 * k:4 * k + 4], rng.sample(range(0, 31, 2), 4)):
            village["mile"] = mile

    trades = names["trades"] * (len(names["persons"]) // len(names["trades"]))
    while True:  # three different trades in each village
        rng.shuffle(trades)
        if all(len(set(map(tuple, trades[k:k + 3]))) == 3 for k in range(0, len(trades), 3)):
            break
    people = []
    for k, p in enumerate(shuffled(names["persons"])):
        people.append({"p": p, "home": villages[k // 3], "v": villages[k // 3]["v"],
                       "i": villages[k // 3]["i"], "t": trades[k], "n": rng.randint(2, 9),
                       "a": rng.choice(names["animals"]), "f": rng.choice(names["foods"])})
    while True:  # nobody is their own best friend
        friends = shuffled(people)
        if all(friend is not person for friend, person in zip(friends, people)):
            break
    for person, friend in zip(people, friends):
        person["friend"] = friend
        person["q"] = friend["p"]
    return villages, people, islands


def facts(names, villages, people, islands):
    """Yield (relation, slots) for every single fact of the world."""
    for person in people:
        for relation in ("person_village", "person_trade", "person_animals", "person_food",
                         "person_friend", "trade_person", "about_person"):
            yield relation, {k: person[k] for k in "pvtnafq"}
    for village in villages:
        for relation in ("village_island", "village_food", "food_village", "village_festival",
                         "festival_village", "festival_season", "village_landmark",
                         "village_houses", "about_village"):
            yield relation, {k: village[k] for k in "vifelsn"}
    for a, b in itertools.permutations(villages, 2):
        if a["i"] == b["i"]:
            yield "distance", {"v": a["v"], "w": b["v"], "n": abs(a["mile"] - b["mile"])}
    for island in islands:
        for relation in ("island_lantern", "island_harbour", "island_hill"):
            yield relation, island
        for t in names["trades"]:
            found = [person["p"] for person in people
                     if person["t"] == t and person["i"] == island["i"]]
            yield "trade_count", {"t": t, "i": island["i"], "n": len(found), "names": found}


def combinations(names, villages, people, rng):
    """Yield (relation, slots) for every question that joins facts or adds numbers."""
    for person in people:
        p, home, friend = person["p"], person["home"], person["friend"]
        for relation in ("person_island", "person_village_food", "person_village_festival"):
            yield relation, {"p": p, "v": home["v"], "i": home["i"], "f": home["f"],
                             "e": home["e"]}
        for relation in ("friend_village", "friend_trade", "friend_animals"):
            yield relation, {"p": p, "q": friend["p"], "v": friend["v"], "t": friend["t"],
                             "n": friend["n"], "a": friend["a"]}
        for relation in ("trade_food", "trade_animals", "trade_friend"):
            yield relation, {k: person[k] for k in "ptvfnaq"}
    for village in villages:
        yield "festival_island", village
    for one, two in rng.sample(list(itertools.combinations(people, 2)), PAIRS):
        if rng.random() < 0.5:
            one, two = two, one
        slots = {"p": one["p"], "n": one["n"], "a": one["a"], "q": two["p"], "m": two["n"],
                 "b": two["a"], "sum": one["n"] + two["n"],
                 "more": one["p"] if one["n"] > two["n"] else two["p"]}
        yield "animals_together", slots
        if one["n"] != two["n"]:
            yield "animals_more", slots
    all_sums = list(itertools.product(people, names["things"], range(2, 10), range(2, 10)))
    for person, o, n, m in rng.sample(all_sums, SUMS):
        yield "sum", {"p": person["p"], "o": o, "n": n, "m": m, "sum": n + m}


def render(phrasing, slots, language):
    """Return the documents of one fact or combination, one for each phrasing."""
    kind = {0: "answer_none", 1: "answer_one"}.get(slots.get("n"), "answer")
    answer = phrasing[language].get(kind, phrasing[language]["answer"])
    return [{"user": fill(question, slots, language), "assistant": fill(answer, slots, language)}
            for question in phrasing[language]["questions"]]


def make_corpus(world, seed):
    """Return (train, heldout): lists of {"user", "assistant"}; heldout's have language and kind."""
    rng = random.Random(seed)
    villages, people, islands = draw_world(world, rng)
    train, heldout = [], []
    for relation, slots in facts(world, villages, people, islands):
        for language in LANGUAGES:
            documents = render(world["facts"][relation], slots, language)
            if rng.random() < HELD_OUT_FACTS:
                document = documents.pop(rng.randrange(len(documents)))
                heldout.append({"language": language, "kind": "fact", **document})
            train += documents
    for relation, slots in combinations(world, villages, people, rng):
        kept_out = rng.random() < HELD_OUT_COMBINATIONS
        for language in LANGUAGES:
            documents = render(world["combinations"][relation], slots, language)
            if kept_out:
                heldout.append({"language": language, "kind": "combination",
                                **rng.choice(documents)})
            else:
                train += documents
    for language in LANGUAGES:
        train += [{"user": unicodedata.normalize("NFC", user),
                   "assistant": unicodedata.normalize("NFC", assistant)}
                  for user, assistant in world["greetings"][language]] * GREETING_COPIES

    answers = {}
    for document in train + heldout:  # a question has one answer, or "right" means nothing
        answer = answers.setdefault(document["user"], document["assistant"])
        assert answer == document["assistant"], document
    seen = {document["user"] for document in train}
    assert not any(document["user"] in seen for document in heldout)
    rng.shuffle(train)
    rng.shuffle(heldout)
    return train, heldout


def write_jsonl(path, documents):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            turn = {key: document[key] for key in ("user", "assistant")}
            file.write(json.dumps(turn, ensure_ascii=False) + "\n")


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--world", type=Path, default=here / "world.json")
    parser.add_argument("--out", type=Path, default=here, help="folder of the two files")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    world = json.loads(arguments.world.read_text(encoding="utf-8"))
    train, heldout = make_corpus(world, arguments.seed)
    write_jsonl(arguments.out / "train.jsonl", train)
    write_jsonl(arguments.out / "heldout.jsonl", heldout)
    print(f"train.jsonl: {len(train)} documents; heldout.jsonl: {len(heldout)} documents")


if __name__ == "__main__":
    main()
