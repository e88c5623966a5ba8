"""Chat templates give, byte for byte, the text of jinja2 set up as transformers does.

    python chat_template_test.py PROGRAM SOURCE_DIR [SEED [COUNT]]      exit code 77: nothing to test with

render_chat must stand beside PROGRAM. Four sets: every template of models/demo and of ../shared over
many conversations; templates written here in the styles of the usual families; random programs of
a grammar; and whole folders with data sets, whose tokens are those of apply_chat_template(). Where
jinja2 raises, we must too. Where only we refuse, the message must say that
something is not supported, and in the random set that may be so for few.
"""

import collections
import datetime
import itertools
import json
import pathlib
import random
import re
import subprocess
import shutil
import sys
import tempfile
import warnings

try:
    import transformers
    import transformers.utils.chat_template_utils as oracle
    from gguf import GGUFReader
except ImportError as missing:
    print(f"skipped: {missing} (scripts/test makes a .venv with all)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from chat_template_programs import FAMILIES, RULES, program, values

PROGRAM, SOURCE = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 5000
SHARED = SOURCE.parent / "shared" / "data"
NOW = 1_700_000_000  # 2023-11-14 22:13:20 UTC
OURS_ALONE = re.compile(r"not supported|is not known|at most|too deeply|not compared|can't be made a text|marked safe")


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, datetime.timezone.utc)


warnings.simplefilter("ignore")  # of Python, about the programs it compiles
oracle.datetime = Fixed  # strftime_now() of templates

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "image_token": "<img>"}
TURNS = {
    "user": {"role": "user", "content": "Hello there"},
    "system": {"role": "system", "content": "Be brief."},
    "assistant": {"role": "assistant", "content": "Hi!"},
    "bengali": {"role": "user", "content": "আমার সোনার বাংলা, ১২৩"},
    "empty": {"role": "user", "content": ""},
    "quotes": {"role": "user", "content": "a 'b' \"c\" \\ </s> {{ x }} <|im_end|>"},
    "lines": {"role": "assistant", "content": "\n one\n\n two\t\r\n </think> three  "},
    "tool": {"role": "tool", "content": "{\"t\": 20}"},
    "odd": {"role": "narrator", "content": "Once"},
}
CONVERSATIONS = [[], *[[t] for t in TURNS], ["system", "user"], ["user", "assistant"], ["system", "user", "assistant", "bengali"],
                 ["user", "lines", "quotes", "lines", "empty"], ["system", "bengali", "lines", "user"], ["user", "assistant", "tool", "tool", "assistant"],
                 ["user", "user"], ["assistant", "user"], ["user", "system"], ["odd", "user"], ["system", "system", "user"]]
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "It's <now> & 'here'",
          "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["ঢাকা", "Rome"]}, "n": {"type": "number", "default": 1.0}}, "required": ["city"]}}}]
CALLS = [{"role": "user", "content": "Weather?"},
         {"role": "assistant", "content": None, "reasoning": "Let me look", "tool_calls": [{"id": "call12345", "type": "function", "function": {"name": "weather", "arguments": {"city": "ঢাকা", "n": 2}}}]},
         {"role": "tool", "name": "weather", "tool_call_id": "call12345", "content": "20"}, {"role": "assistant", "content": "20 degrees"}]
VARIABLES = [{}, {"tools": TOOLS}, {"tools": None, "enable_thinking": False}, {"tools": TOOLS, "documents": [{"title": "T", "text": "x"}]}]


# jinja2 looks up the names of filters and tests when it compiles, but for those inside of branches;
# whether `a if false else b` is still a branch depends on what its optimizer folded before.
UNREACHED = re.compile("TemplateAssertionError: No (filter|test) named")


def expected(case):
    """Text, or None where jinja2 raises (whatever Python raises: a template that can't be read or run)."""
    options = case["options"]
    variables = {**options["special_tokens"], **options.get("variables", {})}
    # As apply_chat_template() does before it renders.
    messages = [{k: v for k, v in m.items() if v is not None} for m in case["messages"]]
    try:
        return oracle.render_jinja_template([messages], chat_template=case["template"],
                                            add_generation_prompt=options.get("add_generation_prompt", False), **variables)[0][0], None
    except Exception as error:  # noqa: BLE001
        return None, f"{type(error).__name__}: {error}"


def compare(name, cases):
    """Counts by outcome; prints the first differences."""
    lines = "".join(json.dumps(c) + "\n" for c in cases)
    run = subprocess.run([PROGRAM.parent / "render_chat"], input=lines, capture_output=True, text=True, encoding="utf-8")
    answers = [json.loads(line) for line in run.stdout.split("\n") if line]
    if run.returncode != 0 or len(answers) != len(cases):
        print(f"{name}: render_chat ended with {run.returncode} after {len(answers)} cases: {run.stderr[:500]}")
        return collections.Counter(wrong=1)
    counts, shown = collections.Counter(), 0
    for case, found in zip(cases, answers):
        text, error = expected(case)
        if text is not None and found.get("text") == text:
            counts["equal"] += 1
        elif text is None and "error" in found:
            counts["both refuse"] += 1
        elif text is None and UNREACHED.match(error) and "text" in found:
            counts["only jinja2 refuses a name that is never reached"] += 1
        elif "error" in found and OURS_ALONE.search(found["error"]):
            counts["only we refuse"] += 1
            counts["refused: " + found["error"].split(": ", 2)[-1][:60]] += 1
        else:
            counts["wrong"] += 1
            shown += 1
            if shown <= 6:
                print(f"--- {name}: {case['template'][:600]!r}\n    options {json.dumps(case['options'])[:200]}\n    messages {json.dumps(case['messages'])[:200]}"
                      f"\n    expected {text if text is None else text[:400]!r} {error or ''}\n    found    {str(found)[:500]}")
    print(f"{name:40} " + ", ".join(f"{k} {v}" for k, v in counts.items() if not k.startswith("refused")), flush=True)
    if counts["only we refuse"]:
        for k, v in counts.most_common():
            if k.startswith("refused"):
                print(f"    {v:5} {k}")
    return counts


def conversation_cases(template):
    conversations = [*([TURNS[t] for t in turns] for turns in CONVERSATIONS), CALLS]
    for messages, prompt, variables in itertools.product(conversations, (False, True), VARIABLES):
        yield {"template": template, "messages": messages,
               "options": {"add_generation_prompt": prompt, "special_tokens": TOKENS, "now": NOW, "variables": variables}}


def real_templates():
    folders = [SOURCE / "models/demo", *sorted(SHARED.glob("tokenizers/*")), *sorted(SHARED.glob("models/*"))]
    for folder in folders:
        config = folder / "tokenizer_config.json"
        found = json.loads(config.read_text()).get("chat_template") if config.exists() else None
        named = found if isinstance(found, list) else [{"name": "", "template": found}] if found else []
        if (folder / "chat_template.jinja").exists():
            named.append({"name": ".jinja", "template": (folder / "chat_template.jinja").read_text()})
        for one in named:
            yield folder.name + one["name"], one["template"]
    for path in sorted(SHARED.glob("gguf/*.gguf")):
        for key, field in GGUFReader(path).fields.items():
            if key.startswith("tokenizer.chat_template"):
                yield path.name, field.contents()


def random_cases():
    for i in range(COUNT):
        rng = random.Random(SEED * 1_000_003 + i)
        yield {"template": program(rng), "messages": [TURNS[rng.choice(list(TURNS))] for _ in range(rng.randrange(4))],
               "options": {"special_tokens": TOKENS, "now": NOW, "add_generation_prompt": rng.random() < 0.5, "variables": values(rng)}}


# Rows of a data set, and what apply_chat_template() is to be given for them.
SAID = [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Hi!"}]
ROWS = [
    ({"messages": SAID}, SAID, {}),
    ({"messages": CALLS, "tools": TOOLS, "id": 7}, CALLS, {"tools": TOOLS}),
    ({"messages": SAID, "tools": json.dumps(TOOLS), "documents": [{"title": "T", "text": "x"}]}, SAID, {"tools": TOOLS, "documents": [{"title": "T", "text": "x"}]}),
    ({"messages": SAID, "tools": None, "chat_template_kwargs": {"style": "short"}, "system": "Be brief."}, [TURNS["system"], *SAID], {"style": "short"}),
    ({"instruction": "Hello", "input": "there", "output": "Hi!", "history": [["a", "b"]], "system": "Be brief."},
     [TURNS["system"], {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "Hello\n\nthere"}, SAID[1]], {}),
    ({"conversations": [{"from": "human", "value": "Hello there"}, {"from": "gpt", "value": "Hi!"}], "system": "Be brief."}, [TURNS["system"], *SAID], {}),
]  # fmt: skip
WITH_ALL = (
    "{{ bos_token }}{{ eos_token }}|{{ unk_token }}|{{ pad_token }}|{{ image_token }}|{{ tools is none }}{{ documents is none }}{{ style }}{{ sep_token is defined }}"
    "{% for m in messages %}<{{ m.role }}>{{ m | tojson }}{% endfor %}{{ tools | tojson }}{{ documents | tojson }}"
)
SPECIAL = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "unk_token": "<|user|>", "pad_token": "<|end_of_text|>", "extra_special_tokens": {"image_token": "<|assistant|>"}}


def folder_differs(template):
    """The tokens of a data set, by the program and by transformers."""
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        shutil.copy(SOURCE / "models/demo/tokenizer.json", folder)
        config = {"tokenizer_class": "PreTrainedTokenizerFast", **SPECIAL, "chat_template": template}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row, _, _ in ROWS))
        done = subprocess.run([PROGRAM, "tokenize", folder, "--file", folder / "rows.jsonl", "--json"], capture_output=True, text=True, encoding="utf-8")
        found = [document["ids"] for document in json.loads(done.stdout)["documents"]]
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        expected = [tokenizer.apply_chat_template(messages, return_dict=False, **given) for _, messages, given in ROWS]
    wrong = sum(a != b for a, b in zip(found, expected, strict=True))
    for a, b in zip(found, expected):
        if a != b:
            print(f"--- expected {tokenizer.decode(b)!r}\n    found    {tokenizer.decode(a)!r}")
    if 'field "id" of 1 row is not read' not in done.stderr:
        print(f"--- a field that nothing reads was not said: {done.stderr}")
        wrong += 1
    print(f"{'folder':40} equal {len(ROWS) - wrong}, wrong {wrong}")
    return wrong


def main():
    total = collections.Counter()
    if not SHARED.is_dir():
        print(f"no {SHARED}: its templates are left out")
    for name, template in [*real_templates(), *FAMILIES.items()]:
        total += compare(name, list(conversation_cases(template)))
    rules = [{"template": t, "messages": [TURNS["user"], TURNS["assistant"]], "options": {"special_tokens": TOKENS, "now": NOW}} for t in RULES]
    total += compare("single rules", rules)
    if total["only we refuse"]:
        print("these must all be rendered")
        return 1
    named = [{"name": "default", "template": WITH_ALL}, {"name": "tool_use", "template": "TOOLS" + WITH_ALL}]
    total["wrong"] += folder_differs(WITH_ALL) + folder_differs(named)
    chance = compare("random programs", list(random_cases()))
    total += chance
    print(f"{total['wrong']} of {sum(v for k, v in total.items() if not k.startswith('refused'))} differ")
    return 1 if total["wrong"] or chance["only we refuse"] * 20 > COUNT or chance["only jinja2 refuses a name that is never reached"] * 500 > COUNT else 0


if __name__ == "__main__":
    sys.exit(main())
