"""Are all texts there, in both languages, as measured, kind, and in words a provider lets through?"""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from reminder.actions.digests import Section
from reminder.domain.cases import Event, Status
from reminder.domain.entries import EntryStatus
from reminder.domain.messages import Refusal
from reminder.domain.people import Role
from reminder.domain.protocols import EntryKind
from reminder.domain.reminders import Reason, useless_at
from reminder.domain.replies import ReplyKind
from reminder.kinds import Audience
from reminder.lint import check_templates, unfit_words
from reminder.render import Templates
from reminder.samples import Samples
from reminder.segments import segments, sign

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
MEASURED = json.loads((ROOT / "tests" / "resident_templates.json").read_text("utf-8"))

loaded = Templates.load(TEMPLATES)
samples = Samples.load(TEMPLATES)
by_key = {kind.key: kind for kind in loaded.kinds.values()}


@pytest.mark.parametrize("row", MEASURED, ids=[row["key"] for row in MEASURED])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_resident_text_is_word_for_word_and_as_long_as_measured(
    row: dict[str, object], lang: str
) -> None:
    kind = by_key[str(row["key"]).split()[0]]
    file = TEMPLATES / "messages" / lang / f"{kind.name}.sms.txt"
    assert file.read_text("utf-8") == f"{row[lang]}\n"
    text = loaded.text(kind.name, "sms", lang, samples.ordinary(kind.name, lang))
    cost = segments(sign(text, lang, samples.signature(lang)))
    assert (cost.units, cost.count) == (row[f"{lang}_units"], row[f"{lang}_segments"])
    assert cost.encoding == ("UCS-2" if lang == "zh" else row["en_encoding"])


@pytest.mark.failure(23)
def test_the_whole_folder_passes_its_own_check() -> None:
    assert check_templates(TEMPLATES) == []


def test_every_key_of_the_specified_lists_has_a_kind() -> None:
    wanted = {f"R{n:02}" for n in range(1, 21)} | {"R05b"} | {f"C{n:02}" for n in range(1, 16)}
    assert wanted <= set(by_key)
    assert len(by_key) == len(loaded.kinds), "two kinds share a key"


def test_both_languages_have_the_same_words_and_variables() -> None:
    zh, en = loaded.words("zh"), loaded.words("en")
    assert len(zh) > 100
    assert {k: v.text.placeholders for k, v in zh.items()} == {k: v.text.placeholders for k, v in en.items()}


def test_english_words_are_english_and_chinese_words_chinese() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    assert [key for key, placed in loaded.words("en").items() if han.search(placed.text.literal)] == []
    same = [k for k, p in loaded.words("zh").items() if p.text == loaded.words("en")[k].text]
    assert [key for key in same if re.search(r"[a-z]{3}", loaded.words("zh")[key].text.literal)] == []


CODES = [
    *[("status", code) for code in Status],
    *[("move", code) for code in Event],
    *[("role", code) for code in Role],
    *[("state", code) for code in EntryStatus],
    *[("entry_kind", code) for code in EntryKind],
    *[("meaning", code) for code in ReplyKind],
    *[("why", code) for code in (*Reason, *Refusal, "undelivered", "failed", "unknown", "missed", "dead")],
    *[("digest.title", code) for code in Section],
    *[("digest.line", code) for code in Section if code is not Section.LATER],
]


def test_every_code_a_person_may_see_has_a_word() -> None:
    assert [f"{table}.{code}" for table, code in CODES if not loaded.has_word(f"{table}.{code}")] == []


def test_every_refusal_in_the_program_has_its_sentence() -> None:
    raised = re.compile(r"\b(?:Refused|NotFound|Stale)\(\s*\"([a-z_.]+)\"")
    sources = [*(ROOT / "reminder").rglob("*.py"), *(ROOT / "jobs").rglob("*.py")]
    used = {
        key
        for path in sources
        if "sandbox" not in path.parts
        for key in raised.findall(path.read_text("utf-8"))
    }
    assert "sms.too_long" in used
    assert (
        sorted(key for key in used if not (loaded.has_word(f"refused.{key}") or loaded.has_word(key))) == []
    )


def test_every_refusal_says_that_nothing_was_changed_and_ends_a_sentence() -> None:
    for lang, promise in (
        ("zh", re.compile("什么都没有[改发]")),
        ("en", re.compile("nothing was|nothing changed")),
    ):
        sentences = {k: p.text.literal for k, p in loaded.words(lang).items() if k.startswith("refused.")}
        assert [key for key, said in sentences.items() if not promise.search(said.lower())] == []


def test_every_word_and_kind_the_program_names_is_there() -> None:
    word = re.compile(r"\b(?:word|words|words\.word)\(\s*\"([a-z_]+(?:\.[a-z_]+)*)\"|\"word:([a-z_.]+)\"")
    sources = [
        p for top in ("reminder", "jobs") for p in (ROOT / top).rglob("*.py") if "sandbox" not in p.parts
    ]
    named = [(p.name, a or b) for p in sources for a, b in word.findall(p.read_text("utf-8"))]
    assert len(named) > 5
    # A reader of protocol tables has a method called `words` too, but takes plain column names.
    missing = {(file, key) for file, key in named if not loaded.has_word(key) and "protocol" not in file}
    assert missing == set()


def test_every_kind_a_protocol_sends_exists_for_its_reader() -> None:
    told: set[tuple[str, str, Audience]] = set()
    for path in (TEMPLATES / "protocols").glob("*.toml"):
        for milestone in tomllib.loads(path.read_text("utf-8")).get("milestone", []):
            sent = [
                (line.partition("!")[2], Audience.STAFF)
                for line in milestone.get("remind", [])
                if " !" in line
            ]
            sent += [(line.split()[-1], Audience.RESIDENT) for line in milestone.get("resident", [])]
            told |= {(path.name, kind, audience) for kind, audience in sent}
    assert told, "no protocol sends anything"
    wrong = [t for t in told if t[1] not in loaded.kinds or loaded.kinds[t[1]].audience is not t[2]]
    assert wrong == []


def test_every_text_to_a_resident_has_a_gist_for_the_colleague_who_must_ring_instead() -> None:
    stand_ins = {kind.one_way for kind in loaded.kinds.values()}
    mine = [k for k in loaded.kinds.values() if k.audience is Audience.RESIDENT and k.name not in stand_ins]
    assert [kind.name for kind in mine if not loaded.has_word(f"gist.{kind.name}")] == []


def test_every_late_rule_is_one_the_program_reckons_with() -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    due, start = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 9, 1, tzinfo=UTC)
    for kind in loaded.kinds.values():
        until = useless_at(kind.useless_after, due_at=due, starts_at=start, zone=ZoneInfo("Asia/Shanghai"))
        assert (until is None) == (kind.useless_after == "never"), kind.name


def test_only_answers_to_a_resident_ignore_quiet_hours() -> None:
    urgent = {kind.name for kind in loaded.kinds.values() if kind.urgent}
    assert urgent == {
        "status_answer",
        "status_closed",
        "opt_out_ok",
        "opt_in_ok",
        "unknown_sender",
        "auto_answer",
    }


def test_digests_and_news_are_never_repeated_on_a_guess_and_residents_never_at_all() -> None:
    repeated = {kind.name for kind in loaded.kinds.values() if kind.repeat}
    assert not repeated & {"digest", "weekly", "calendar_gap"}
    assert {loaded.kinds[name].audience for name in repeated} == {Audience.STAFF}


def test_staff_texts_have_no_place_for_a_residents_name_or_phone() -> None:
    for kind in loaded.kinds.values():
        if kind.audience is Audience.STAFF:
            assert not kind.variables & {"name", "phone", "resident", "who", "address"}, kind.name


ZH, EN = "zh/low_score.sms.txt", "en/low_score.sms.txt"
KEPT = {ZH: "{name}您好，{date}前联系您。{phone}", EN: "Hello {name}, we ring by {date}. {phone}"}

UNFIT: list[tuple[str, str, str]] = [
    (ZH, "{name}您好，{date}前必须回电。{phone}", "'必须'"),
    (ZH, "{name}您好，您的信访件{date}前办。{phone}", "'信访'"),
    (ZH, "{name}您好，请带身份证，{date}见。{phone}", "'身份证'"),
    (ZH, "{name}您好，{date}前给您300元。{phone}", "money"),
    (ZH, "【县办】{name}您好，{date}前联系您。{phone}", "signs itself"),
    (ZH, "{name}您好，{date}前联系您😀。{phone}", "picture sign"),
    (ZH, "{name}您好,{date}前联系您。{phone}", "half-width"),
    (ZH, "{name}您好，{date}前联系您。\n{phone}", "more than one line"),
    (ZH, "{name}您好，{date}前回1。{phone}", "no one_way variant"),
    (ZH, "{name}您好，{date}前联系您。{phone} 见 www.qinglu.example", "web address"),
    (ZH, "{name}您好，{date}前回复YES。{phone}", "keeps to itself"),
    (ZH, "{name}您好，{date}前回复“好”。{phone}", "asks for a word"),
    (ZH, "{name}您好，{date}前联系您。{phone}" + "慢慢来" * 40, "parts"),
    (EN, "Hello {name}, you must ring by {date}. {phone}", "'must'"),
    (EN, "Hello {name}, failure to ring by {date}. {phone}", "'failure to'"),
    (EN, "Hello {name}, bring your passport by {date}. {phone}", "'passport'"),
    (EN, "Hello {name}, reply YES by {date}. {phone}", "keeps to itself"),
    (EN, "Hello {name}, reply with cancel by {date}. {phone}", "keeps to itself"),
    (EN, "Pingan Town Office: {name}, we ring by {date}. {phone}", "signs itself"),
    (EN, "Hello {name}, we ring by {date}, garçon. {phone}", "'ç' forces"),
    ("zh/visit_offer.sms.txt", "{name}{staff}{date}{time}{no}{phone}方便回1，不行回4。", "offers 4"),
    ("en/visit_offer.sms.txt", "{name}{staff}{date}{time}{no}{phone} Reply 1 yes, 4 no.", "offers 4"),
    ("zh/visit_offer.sms.txt", "{name}{staff}{date}{time}{no}{phone}方便吗？", "offers no reply"),
    ("zh/visit_offer_oneway.sms.txt", "{name}{staff}{date}{time}{no}{phone}方便回1。", "where none can come"),
    ("zh/visit_tomorrow.sms.txt", "{name}{staff}{time}{no}{phone}" + "好" * 40, "takes 2 parts"),
    ("zh/received.sms.txt", "{name}您好，编号{no}，{date}前告诉您。{staff}{phone}", "how to stop"),
]


@pytest.mark.parametrize(("file", "text", "told"), UNFIT, ids=[f"{f}: {told}" for f, _, told in UNFIT])
def test_a_text_unfit_for_a_resident_is_told(tmp_path: Path, file: str, text: str, told: str) -> None:
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    for path, kept in KEPT.items():
        (folder / "messages" / path).write_text(kept, "utf-8")
    assert check_templates(folder) == []
    (folder / "messages" / file).write_text(text, "utf-8")
    faults = check_templates(folder)
    assert any(told in fault.what for fault in faults), faults
    assert {fault.place for fault in faults} == {f"templates/messages/{file}:1"}


@pytest.mark.failure(17)
def test_a_variable_that_names_the_matter_is_told(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    kinds = folder / "messages" / "kinds.toml"
    old = 'key = "R17"\naudience = "resident"\nchannels = ["sms"]\nvariables = ["name", "date", "phone"]'
    text = kinds.read_text("utf-8")
    assert old in text
    kinds.write_text(text.replace(old, old[:-1] + ', "request?"]'), "utf-8")
    (folder / "messages" / ZH).write_text("{name}您好，{request}{date}前联系您。{phone}", "utf-8")
    told = [fault.what for fault in check_templates(folder)]
    assert any("{request} names the matter" in what for what in told)
    assert any("{request} has no sample" in what for what in told)


def test_a_staff_text_that_labels_a_person_is_told(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    (folder / "messages/zh/due_today.telegram.txt").write_text("{no} {what} 缠访", "utf-8")
    assert ["labels a person" in fault.what for fault in check_templates(folder)] == [True]


def test_a_question_needs_its_variant_for_providers_without_replies(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    kinds = folder / "messages" / "kinds.toml"
    text = kinds.read_text("utf-8").replace('one_way = "return_visit_oneway"\n', "")
    kinds.write_text(text, "utf-8")
    assert any("without a one_way variant" in fault.what for fault in check_templates(folder))


@pytest.mark.parametrize(
    "broken", ["[zh", "[zh]\nsignature = 3\n", "[zh.sample]\nname = 1\n", "zh = 1\n", "[zh.other]\n"]
)
def test_malformed_samples_are_told_and_do_not_crash_the_check(tmp_path: Path, broken: str) -> None:
    folder = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    (folder / "messages/samples.toml").write_text(broken, "utf-8")
    faults = check_templates(folder)
    assert faults
    assert all(fault.place.startswith("templates/messages/samples.toml") for fault in faults)


def test_a_caseworkers_own_words_can_be_checked_too() -> None:
    assert unfit_words("否则后果自负") == ["否则", "后果自负"]
    assert unfit_words("You MUST show your ID card") == ["must", "id card"]
    assert unfit_words("mustard fields are surveyed") == []
    assert unfit_words("林地手续还在审批") == []
