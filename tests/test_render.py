"""Does a message say exactly what its template and values say, or refuse with a sentence that helps?"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.errors import Fault, Faulty, Refused
from reminder.domain.limits import Limit, Unit
from reminder.render import MissingValue, NoSuchText, Templates
from reminder.samples import Samples

TEMPLATES = Path(__file__).parents[1] / "templates"
VALUES = {
    "name": "李女士",
    "staff": "陈立文",
    "date": "6月30日",
    "time": "上午9点",
    "no": "26000124",
    "phone": "202-555-0100",
}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates.load(TEMPLATES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def faults_of(*folders: Path) -> list[str]:
    with pytest.raises(Faulty) as caught:
        Templates.load(*folders)
    return [f"{fault.place} {fault.what}" for fault in caught.value.faults]


# What a text says


def test_a_text_is_its_template_with_the_values_in_place(templates: Templates) -> None:
    assert templates.text("visit_offer", "sms", "zh", VALUES) == (
        "李女士您好，陈立文想6月30日上午9点到您家说说26000124号。方便回1，改天回2，不用来回3。202-555-0100"
    )


def test_an_unknown_language_gets_the_offices_own() -> None:
    english = Templates.load(TEMPLATES, default_lang="en")
    assert english.text("unknown_sender", "sms", "ug", {"phone": "1"}).startswith("Hello, we found no case")
    assert english.word("role.handler", "ug") == "handler"


@pytest.mark.parametrize("value", [None, "", "  ", "\u202e\x00"])
@pytest.mark.failure(23)
def test_a_missing_or_empty_value_is_named_with_its_kind_and_nothing_personal(
    templates: Templates, value: str | None
) -> None:
    with pytest.raises(MissingValue) as caught:
        templates.text("visit_offer", "sms", "zh", {**VALUES, "date": value})
    assert (caught.value.kind, caught.value.variable) == ("visit_offer", "date")
    assert "李" not in str(caught.value)
    without = {k: v for k, v in VALUES.items() if k != "date"}
    with pytest.raises(MissingValue):
        templates.text("visit_offer", "sms", "zh", without)


def test_an_optional_value_may_be_empty_but_not_forgotten(templates: Templates) -> None:
    values = {"no": "26000124", "meaning": "想改时间", "suggested_next": "", "said": ""}
    assert templates.text("resident_replied", "telegram", "zh", values) == "26000124 群众回话：想改时间。"
    assert templates.text("resident_replied", "telegram", "en", values).endswith("时间.")
    del values["said"]
    with pytest.raises(MissingValue):
        templates.text("resident_replied", "telegram", "zh", values)


def test_a_language_may_leave_out_what_is_optional(folder: Path) -> None:
    (folder / "messages/zh/resident_replied.telegram.txt").write_text("{no}：{meaning}", "utf-8")
    said = Templates.load(folder).text("resident_replied", "telegram", "zh", {"no": "1", "meaning": "好"})
    assert said == "1：好"


def test_a_value_of_another_type_is_a_bug_and_says_so(templates: Templates) -> None:
    for wrong in (3.5, True, ["x"]):
        with pytest.raises(TypeError):
            templates.text("unknown_sender", "sms", "zh", {"phone": wrong})


PAYLOADS = [
    "{phone}",
    "{0.__class__}",
    "{{name}}",
    "%(name)s",
    "${name}",
    "<b>x</b>&amp;",
    "{% raw %}{{ 7*7 }}",
    "*_[x](y)",
    "'; DROP TABLE--",
    "\\n\\1",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.failure(28)
def test_a_value_is_never_evaluated(templates: Templates, payload: str) -> None:
    text = templates.text("visit_offer", "sms", "zh", {**VALUES, "name": payload})
    assert text.startswith(payload + "您好")
    assert templates.word("digest.line.due_today", "zh", no=payload, what=payload) == f"{payload} {payload}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("李\u202e女\u2066士\u200f", "李女士"),
        ("李\x00女\x07士\x9b", "李女士"),
        ("李\ud800女士\udfff", "李女士"),
        ("Jose\u0301", "Jos\u00e9"),
        (" 李 \r\n 女士\u2028先生\t好 ", "李 女士 先生 好"),
        ("\ufeff李\u200b女士", "李女士"),
        ("👩\u200d🌾", "👩\u200d🌾"),
    ],
)
@pytest.mark.failure(27)
def test_values_are_cleaned_of_what_nobody_sees(templates: Templates, value: str, shown: str) -> None:
    assert templates.text("low_score", "sms", "zh", {**VALUES, "name": value}).startswith(shown + "您好")


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_value_breaks_a_text_or_a_line(value: str) -> None:
    loaded = _loaded()
    try:
        text = loaded.text("low_score", "sms", "zh", {**VALUES, "name": value})
    except MissingValue:
        return
    assert text.encode("utf-8")
    assert "\n" not in text
    assert not set(text) & set("\x00\r\u202a\u202e\u2066\u2069\u200e")


_CACHE: list[Templates] = []


def _loaded() -> Templates:
    if not _CACHE:
        _CACHE.append(Templates.load(TEMPLATES))
    return _CACHE[0]


def test_lines_survive_in_chat_and_are_joined_in_a_text_message(templates: Templates) -> None:
    frame = {"greeting": "a", "sections": "b\nc", "footer": "d"}
    assert templates.text("digest", "telegram", "en", frame) == "a\nb\nc\nd"


def test_english_texts_are_freed_of_curly_marks_even_from_values(templates: Templates) -> None:
    text = templates.text("low_score", "sms", "en", {**VALUES, "name": "Ms O’Li", "date": "9\u00a0June"})
    assert text.isascii()


def test_asking_for_a_text_that_is_not_there_is_an_error_with_its_name(templates: Templates) -> None:
    for ask in (
        lambda: templates.text("no_such", "sms", "zh", {}),
        lambda: templates.text("visit_offer", "telegram", "zh", {}),
        lambda: templates.word("no.such", "zh"),
        lambda: templates.kind("no_such"),
    ):
        with pytest.raises(NoSuchText, match=r"no\.such|no_such|visit_offer"):
            ask()


def test_a_refusal_becomes_a_sentence_with_codes_said_in_words(templates: Templates) -> None:
    refused = Refused("case.wrong_state", status="status.replied", move="move.register")
    assert "已答复" in templates.refusal(refused, "zh")
    assert "'answered'" in templates.refusal(refused, "en")
    assert "(register)" in templates.refusal(refused, "en")
    assert templates.refusal(Refused("import.empty", file="a.csv"), "en").startswith("a.csv")
    typed = Refused("protocol.unknown", protocol="digest.more", known="")
    assert "'digest.more'" in templates.refusal(typed, "en")
    assert templates.refusal(Refused("limit_needs_day", limit=Limit(2, Unit.HOUR)), "en").startswith(
        "2 h counts"
    )
    assert templates.refusal(Refused("sms.too_long", count=3, units=140, over=6), "zh").count("3") == 1


def test_a_word_wants_its_values(templates: Templates) -> None:
    with pytest.raises(MissingValue):
        templates.word("digest.title.meeting", "zh")


# What is refused when loading


Spoil = Callable[[Path], object]


def write(path: str, text: str | bytes) -> Spoil:
    raw = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / path).write_bytes(raw)


def add(path: str, text: str) -> Spoil:
    return lambda folder: (folder / path).write_text((folder / path).read_text("utf-8") + text, "utf-8")


def replace(path: str, old: str, new: str) -> Spoil:
    def spoil(folder: Path) -> None:
        text = (folder / path).read_text("utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1), "utf-8")

    return spoil


ZH = "messages/zh/unknown_sender.sms.txt"
KINDS = "messages/kinds.toml"
ROW = """
[extra]
key = "R99"
audience = "resident"
channels = ["sms"]
variables = []
useless_after = "never"
"""

SPOILT: list[tuple[Spoil, str]] = [
    (write(ZH, "{phone} {surname}"), "zh/unknown_sender.sms.txt:1 {surname} is not a variable"),
    (write(ZH, "您好"), "zh/unknown_sender.sms.txt:1 {phone} is missing in zh"),
    (write(ZH, "{phone}\n{phone.__class__}"), "unknown_sender.sms.txt:2 {phone.__class__} is not a plain"),
    (write(ZH, "{phone} {0}"), "{0} is not a plain variable"),
    (write(ZH, "{phone}\n{phone}\n{1}"), "unknown_sender.sms.txt:3 {1} is not a plain"),
    (write(ZH, "{phone} {}"), "{} is not a plain variable"),
    (write(ZH, "{phone!r}"), "{phone!r} is not a plain variable"),
    (write(ZH, "{phone:>10}"), "{phone:>10} is not a plain variable"),
    (write(ZH, "{phone[0]}"), "{phone[0]} is not a plain variable"),
    (write(ZH, "{{phone}}"), "{ is not a plain variable"),
    (write(ZH, "{phone} }"), "} is not a plain variable"),
    (write(ZH, "{phone} {Phone}"), "{Phone} is not a plain variable"),
    (write(ZH, " \n"), "unknown_sender.sms.txt:1 There is no text"),
    (write(ZH, "{phone}\n\xff".encode("latin-1")), "unknown_sender.sms.txt:2 It is not UTF-8"),
    (write(ZH, "{phone}" + "长" * 1400), "unknown_sender.sms.txt It is larger than 4096 bytes"),
    (write(ZH, "{phone}\u202e"), "invisible character U+202E"),
    (write("messages/zh/unknown_sender.txt", "x"), "zh/unknown_sender.txt The name tells no kind"),
    (write("messages/zh/nobody.sms.txt", "x"), "zh/nobody.sms.txt:1 No kind is named nobody"),
    (write("messages/zh/unknown_sender.telegram.txt", "{phone}"), "unknown_sender does not go by telegram"),
    (lambda f: (f / ZH).unlink(), "zh/unknown_sender.sms.txt The template is missing"),
    (lambda f: shutil.rmtree(f / "messages/zh"), "no messages in the office's language 'zh'"),
    (add(KINDS, ROW), "en/extra.sms.txt The template is missing"),
    (add(KINDS, "\n[x\n"), "kinds.toml:"),
    (add(KINDS, ROW.replace("never", "later")), "'later' is none of never"),
    (add(KINDS, ROW.replace('"sms"', '"fax"')), "channels takes some of"),
    (add(KINDS, ROW.replace('"resident"', '"everyone"')), "'everyone' is none of"),
    (add(KINDS, ROW.replace("variables = []", 'variables = ["a", "a?"]')), "variables takes names"),
    (add(KINDS, ROW + 'question = "visit"\n'), "question and digits do not go together"),
    (add(KINDS, ROW + 'question = "visit"\ndigits = "13"\n'), "question and digits do not go together"),
    (add(KINDS, ROW + 'one_way = "nobody"\n'), "one_way names 'nobody', which is not declared"),
    (add(KINDS, ROW + 'one_way = "visit_offer"\n'), "one_way names visit_offer, which asks"),
    (add(KINDS, ROW + 'one_way = "auto_answer"\n'), "auto_answer cannot stand in for it"),
    (add(KINDS, ROW + 'push = "yes"\n'), "push is of the wrong type"),
    (add(KINDS, ROW + "colour = 1\n"), "colour is not known"),
    (add(KINDS, ROW.replace("key", "no_key")), "key is missing"),
    (add("words/zh.toml", "\n[digest]\n"), "words/zh.toml:"),
    (add("words/zh.toml", '\n[only_here]\na = "b"\n'), "words/en.toml only_here.a is missing"),
    (
        write("words/extra.zh.toml", '[role]\nhandler = "x"\n'),
        "role.handler stands in templates/words/extra.zh.toml:2",
    ),
    (write("words/extra.zh.toml", "[a]\n\nb = 3\n"), "words/extra.zh.toml:3 a.b is not a text"),
    (write("words/fr.toml", 'a = "b"\n'), "No message is in 'fr'"),
    (replace("words/zh.toml", "{n}件：/today", "{m}件：/today"), "digest.more has other variables than"),
    (replace("words/zh.toml", "{n}件：/today", "{n.x}件：/today"), "{n.x} is not a plain variable"),
]


@pytest.mark.parametrize(("spoil", "told"), SPOILT, ids=[told for _, told in SPOILT])
def test_a_malformed_file_is_told_with_its_place(folder: Path, spoil: Spoil, told: str) -> None:
    spoil(folder)
    faults = faults_of(folder)
    assert any(told in fault for fault in faults), faults


def test_one_fault_is_told_once_and_alone(folder: Path) -> None:
    for spoil in (write(ZH, "{{phone}}"), replace("words/zh.toml", "{n}件：/today", "{件")):
        spoil(folder)
    assert len(faults_of(folder)) == 2
    (folder / "words/zh.toml").write_text("[", "utf-8")
    assert len(faults_of(folder)) == 2


def test_all_faults_of_all_files_come_at_once_and_nothing_is_loaded(folder: Path) -> None:
    chosen = ("surname", "nobody.sms", "everyone", "only_here", "a.b is not", "digest.more has")
    together = [(spoil, told) for spoil, told in SPOILT if any(word in told for word in chosen)]
    assert len(together) == len(chosen)
    for spoil, _ in together:
        spoil(folder)
    faults = faults_of(folder)
    assert [told for _, told in together if not any(told in fault for fault in faults)] == []


def _faults(folder: Path) -> tuple[Fault, ...]:
    try:
        Templates.load(folder)
    except Faulty as faulty:
        return faulty.faults
    return ()


def test_random_garbage_in_any_file_is_a_fault_or_a_text_but_never_a_crash(folder: Path) -> None:
    seed = random.Random(7)
    files = sorted(p for p in folder.rglob("*") if p.suffix in {".txt", ".toml"})
    for _ in range(30):
        path = seed.choice(files)
        whole = path.read_bytes()
        at = seed.randrange(len(whole))
        path.write_bytes(
            whole[:at] + bytes(seed.randrange(256) for _ in range(seed.randrange(6))) + whole[at + 2 :]
        )
        assert all(fault.what and fault.remedy for fault in _faults(folder))
        path.write_bytes(whole)


# An office's own copies


def test_an_offices_copy_wins_file_by_file_and_key_by_key(folder: Path, tmp_path: Path) -> None:
    office = tmp_path / "office"
    (office / "messages/zh").mkdir(parents=True)
    (office / "words").mkdir()
    (office / ZH).write_text("请打{phone}。", "utf-8")
    (office / KINDS).write_text('[unknown_sender]\nuseless_after = "2h"\n', "utf-8")
    (office / "words/zh.toml").write_text('[role]\nhandler = "办事员"\n', "utf-8")
    loaded = Templates.load(folder, office)
    assert loaded.text("unknown_sender", "sms", "zh", {"phone": "1"}) == "请打1。"
    assert loaded.text("unknown_sender", "sms", "en", {"phone": "1"}).startswith("Hello")
    assert (loaded.kind("unknown_sender").useless_after, loaded.kind("unknown_sender").key) == ("2h", "R20")
    assert (loaded.word("role.handler", "zh"), loaded.word("role.agent", "zh")) == ("办事员", "代办员")


def test_a_fault_in_an_offices_copy_names_that_copy(folder: Path, tmp_path: Path) -> None:
    office = tmp_path / "office"
    (office / "messages/zh").mkdir(parents=True)
    (office / ZH).write_text("请打电话。", "utf-8")
    assert faults_of(folder, office) == [
        "office/messages/zh/unknown_sender.sms.txt:1 {phone} is missing in zh."
    ]
    assert "There is no such folder" in faults_of(folder, tmp_path / "nowhere")[0]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(folder: Path) -> None:
    (folder / ZH).write_bytes(b"\xef\xbb\xbf" + "请打{phone}。\r\n".encode())
    assert Templates.load(folder).text("unknown_sender", "sms", "zh", {"phone": "1"}) == "请打1。"


def test_samples_answer_for_a_kind_before_the_ordinary_ones() -> None:
    samples = Samples.load(TEMPLATES)
    assert samples.ordinary("extension", "zh")["reason"] == "林地手续还在审批"
    assert samples.ordinary("deferred", "zh")["reason"] == "林地批文未到"
    assert samples.longest("extension", "zh")["reason"] == "林地占用手续还在省里等待审批"
