from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reminder.domain.errors import Refused
from reminder.domain.limits import Limit
from reminder.ledger import files
from reminder.ledger.cells import Revisit
from reminder.ledger.records import read
from tests.ledger.books import (
    HEADER,
    KNOWN,
    LONG,
    comma_separated,
    keys,
    ledger,
    questions,
    reading,
    reading_of,
    row,
    saved,
    table,
    workbook,
)

HERE = Path(__file__).parent


def test_the_ledger_of_the_manual_is_read() -> None:
    found = reading_of((HERE / "sample.csv").read_bytes(), "sample.csv", known=KNOWN)
    first, second, third = found.records
    assert (first.external_no, first.received_on, first.party) == ("1", date(2026, 9, 10), "李桂兰")
    assert (first.phones, first.village, first.channel) == (("+12025550101",), "新塘", "visit")
    assert (first.unit, first.handler, first.category) == ("县水利局", "陈立文", "water")
    assert (first.due_limit, first.due_on) == (Limit.parse("24 h"), date(2026, 9, 11))
    assert (first.closed, first.answered_on, first.score) == (True, date(2026, 9, 11), 5)
    assert first.revisit == Revisit(on=date(2026, 9, 18), text="9月18日电话回访已通水")
    assert (second.party, second.group_size, second.group) == ("罗永贵", 37, True)
    assert second.phones == ("+12025550102", "+12025550103")
    assert (second.received_on, second.due_on, second.sponsor) == (date(2026, 3, 2), date(2026, 5, 1), "周敏")
    assert (second.progress, second.closed) == ("协商中", False)
    assert (third.anonymous, third.channel, third.due_on) == (True, "letter", date(2027, 1, 2))
    assert (third.held, third.received_on) == (True, None)
    assert questions(found) == [(4, "登记时间", ("2026-11-03", "2025-11-03", "2024-11-03"))]
    assert (found.rejected, found.unread) == ((), ())


def test_an_english_register_is_read_the_same_way() -> None:
    found = reading_of((HERE / "english.csv").read_bytes(), "english.csv")
    first, second, third = found.records
    assert (first.external_no, first.received_on, first.party) == ("A-101", date(2026, 9, 10), "Grace Bell")
    assert (first.phones, first.unit, first.handler) == (("+12025550104",), "Water Board", "Omar Reyes")
    assert (first.closed, first.answered_on, first.score) == (True, date(2026, 9, 11), 5)
    assert first.revisit == Revisit(on=date(2026, 9, 18), text="18 Sep 2026 phoned: water is back")
    assert (second.party, second.group_size, second.closed) == ("Peter Lowe", 37, False)
    assert second.phones == ("+12025550105", "+12025550106")
    assert second.due_limit == Limit.parse("10 wd")
    assert third.anonymous
    assert third.held
    assert found.left_out == ("National ID",)
    assert questions(found) == [
        (4, "Date received", ("2026-04-03", "2026-03-04")),
        (4, "Status/Closed", ("yes", "no")),
    ]


def test_a_row_without_a_day_of_receipt_or_a_party_is_rejected_and_the_others_are_not() -> None:
    found = reading(
        LONG,
        row("1"),
        row("2", None),
        row("3", "春天"),
        row("4", party=None),
        row("5", party=7),
        row("6", party="王五"),
    )
    assert [record.row for record in found.records] == [2, 7]
    assert keys(found.rejected) == [
        (3, "登记时间", "no_received_on"),
        (4, "登记时间", "no_date"),
        (5, "信访人", "no_party"),
        (6, "信访人", "no_name"),
    ]


def test_any_other_unreadable_cell_is_listed_and_the_row_kept_without_it() -> None:
    found = reading(
        LONG, row(联系电话="1.3E+10", 答复时间="春天", 是否办结="随便", 办理期限="尽快", 责任单位="#ERROR")
    )
    [record] = found.records
    assert (record.phones, record.answered_on, record.closed, record.due_on, record.unit) == (
        (),
        None,
        None,
        None,
        "",
    )
    assert {one.spot.column for one in found.unread} == {
        "联系电话",
        "答复时间",
        "是否办结",
        "办理期限",
        "责任单位",
    }
    assert not record.held


def test_nobody_is_asked_about_a_row_that_is_rejected() -> None:
    found = reading(LONG, row(received="3月5日", party=None, 联系电话="#ERROR"))
    assert (len(found.rejected), found.questions, found.unread, found.records) == (1, (), (), ())


def test_a_limit_runs_from_the_transfer_where_there_is_one_else_from_receipt() -> None:
    found = reading(
        LONG,
        row("1", 办理期限="60日"),
        row("2", party="王五", 转办时间="2026.4.1", 办理期限="60日"),
        row("3", party="赵六", 转办时间="未转办", 办理期限="60日"),
        row("4", party="孙七", 转办时间="春天", 办理期限="60日"),
    )
    assert [record.due_on for record in found.records] == [
        date(2026, 5, 4),
        date(2026, 5, 31),
        date(2026, 5, 4),
        None,
    ]
    assert [record.due_limit for record in found.records] == [Limit.parse("60 cal")] * 4
    assert (5, "转办时间", "no_anchor") in keys(found.notes)


def test_a_stated_day_and_a_limit_that_disagree_are_both_kept_and_reported() -> None:
    found = reading([*LONG, "应结办日期"], [*row(办理期限="60日"), "2026.6.1"])
    [record] = found.records
    assert (record.due_on, record.due_counted) == (date(2026, 6, 1), date(2026, 5, 4))
    assert "due_conflict" in {key for _, _, key in keys(found.notes)}


def test_the_year_asked_first_is_that_of_the_title_the_sheet_or_the_file() -> None:
    titled = reading(["2025年信访台账"], LONG, row(received="3月5日"))
    drawn_up = reading(["2025年信访台账（填报日期：2026年1月9日）"], LONG, row(received="3月5日"))
    named = read(table(LONG, row(received="3月5日"), name="2025年3月"), ledger())
    filed = reading(LONG, row(received="3月5日"), name="信访台账2025")
    for found in (titled, drawn_up, named, filed):
        assert questions(found) == [
            (found.records[0].row, "登记时间", ("2025-03-05", "2026-03-05", "2024-03-05"))
        ]
        assert found.records[0].held


def test_several_months_in_one_sheet_each_have_their_year() -> None:
    found = reading(
        LONG,
        ["2025年12月"],
        row("1", "12月5日"),
        ["2026年1月"],
        LONG,
        row("2", "1月6日", party="王五"),
    )
    assert [choices[0] for _, _, choices in questions(found)] == ["2025-12-05", "2026-01-06"]
    assert found.rejected == ()


def test_totals_signatures_and_remarks_are_no_records() -> None:
    found = reading(
        LONG,
        row("1"),
        ["合计", None, "12件"],
        [None, None, "合 计", None, None, "12件"],
        ["制表人：周敏", "2026.3.31", "审核人：黄志强"],
        ["单位（盖章）", None, None],
        ["注：以上均为初访。"],
        ["Total", None, "12"],
        ["13"],
        [],
    )
    assert [record.row for record in found.records] == [2]
    assert found.rejected == ()
    assert len([one for one in found.notes if one.key == "import.note.skipped"]) == 6


def test_a_row_with_a_day_and_a_person_is_never_taken_for_a_signature() -> None:
    found = reading(LONG, row("1", 办理情况="审核：已通过"), row("2", party="王五", 办理情况="审核"))
    assert len(found.records) == 2


def test_a_merged_cell_down_a_group_counts_for_every_row() -> None:
    rows: list[list[Any]] = [
        HEADER,
        *[[n, "2026.3.5", "李桂兰", "202-555-0101", "新塘村", text] for n, text in enumerate("水路电", 1)],
    ]
    [sheet] = files.sheets("r.xlsx", workbook(rows, merged=["C2:C4", "B2:B4", "D2:D4"]))
    found = read([sheet], ledger())
    assert [record.party for record in found.records] == ["李桂兰"] * 3
    assert [record.phones for record in found.records] == [("+12025550101",)] * 3


def test_a_number_beside_the_name_is_taken_where_the_ledger_has_no_other() -> None:
    found = reading(
        LONG, row(party="李桂兰 202-555-0101"), row("2", party="王五 202-555-0102", 联系电话="202-555-0103")
    )
    assert [(one.party, one.phones) for one in found.records] == [
        ("李桂兰", ("+12025550101",)),
        ("王五", ("+12025550103",)),
    ]


def test_ditto_marks_repeat_the_cell_above() -> None:
    found = reading(LONG, row("1", 住址="新塘村"), row("2", "同上", "王五", 住址="〃"))
    assert [(one.received_on, one.place) for one in found.records] == [(date(2026, 3, 5), "新塘村")] * 2


def test_township_village_and_address_make_one_place() -> None:
    found = reading(
        [*HEADER, "村", "乡镇"],
        ["1", "2026.3.5", "李桂兰", None, "3组", "水", "新塘村", "柳溪镇"],
        known=KNOWN,
    )
    assert found.records[0].place in {"新塘村柳溪镇3组", "柳溪镇新塘村3组"}
    assert found.records[0].village == "新塘"


def test_a_village_of_the_same_name_as_its_township_needs_no_luck() -> None:
    found = reading(
        LONG, row("1", 住址="石门乡石门村2组"), row("2", party="王五", 住址="石门乡半岭村"), known=KNOWN
    )
    assert [record.village for record in found.records] == ["石门", "半岭"]


def test_columns_never_imported_leave_no_trace_in_any_record() -> None:
    found = reading([*LONG, "身份证号", "稳控责任人", "天气"], [*row(), "330102196501011234", "周敏", "晴"])
    assert found.left_out == ("身份证号", "稳控责任人")
    assert found.unknown == ("天气",)
    assert "330102196501011234" not in repr(found)
    assert "周敏" not in repr(found.records)


def test_an_identity_number_in_the_text_is_struck_out_and_said() -> None:
    found = reading(LONG, row(主要诉求="李桂兰330102196501011234要求通水"))
    assert found.records[0].request == "李桂兰***要求通水"
    assert keys(found.notes) == [(2, "主要诉求", "identity_number")]


def test_a_long_request_is_shortened_and_said() -> None:
    found = reading(LONG, row(主要诉求="水" * 3000))
    assert len(found.records[0].request) == 2000
    assert keys(found.notes) == [(2, "主要诉求", "shortened")]


def test_columns_that_join_keep_all_their_texts() -> None:
    found = reading(
        [*HEADER, "工作措施", "本月工作情况"],
        ["1", "2026.3.5", "李桂兰", None, None, "水", "已约谈", "1月：查看；2月：答复"],
    )
    assert found.records[0].progress == "工作措施：已约谈\n本月工作情况：1月：查看；2月：答复"


def test_progress_of_yes_or_no_says_whether_it_is_closed() -> None:
    found = reading([*HEADER, "办理情况"], ["1", "2026.3.5", "李桂兰", None, None, "水", "是"])
    assert (found.records[0].closed, found.records[0].progress) == (True, "")


def test_a_channel_that_says_a_group_came_is_a_visit_of_a_group() -> None:
    found = reading(LONG, row(信访形式="集体访"))
    assert (found.records[0].channel, found.records[0].group) == ("visit", True)


def test_words_the_tables_lack_become_other_and_are_reported() -> None:
    found = reading(LONG, row(信访形式="托梦", 问题类别="天象"), known=KNOWN)
    assert (found.records[0].channel, found.records[0].category, found.records[0].category_text) == (
        "other",
        "other",
        "天象",
    )
    assert keys(found.notes) == [(2, "信访形式", "channel"), (2, "问题类别", "category")]


def test_a_unit_under_another_spelling_is_known() -> None:
    assert reading(LONG, row(责任单位="水务局"), known=KNOWN).records[0].unit == "县水利局"


def test_keys_are_stable_and_unique_and_hashes_follow_the_content() -> None:
    rows = [
        LONG,
        row("1"),
        row("1", party="王五"),
        row(None, party="赵六"),
        row(None, party="赵六"),
        row("2", party="孙七"),
    ]
    first, again = reading(*rows), reading(*rows)
    assert [record.key for record in first.records] == [record.key for record in again.records]
    assert len({record.key for record in first.records}) == 5
    changed = reading(*rows[:-1], row("2", party="孙七", 是否办结="是"))
    assert [record.key for record in changed.records] == [record.key for record in first.records]
    assert [a.row_hash == b.row_hash for a, b in zip(first.records, changed.records, strict=True)] == [
        True
    ] * 4 + [False]
    moved = reading(LONG, row("0", party="周八"), *rows[1:])
    assert {record.key for record in first.records} < {record.key for record in moved.records}
    twice = [LONG, row("1"), row("1", party="王五")]
    inserted = [*twice[:2], row("1", party="赵六"), twice[2]]
    assert reading(*twice).records[1].key == reading(*inserted).records[2].key
    assert reading(*rows, name="other").records[0].key != first.records[0].key


def test_sheets_without_a_header_and_hidden_ones_are_reported_not_read() -> None:
    book: Any = openpyxl.Workbook()
    book.active.append(["说明"])
    page = book.create_sheet("台账")
    for one in (HEADER, ["1", "2026.3.5", "李桂兰", None, None, "水"]):
        page.append(one)
    old = book.create_sheet("旧")
    for one in (HEADER, ["9", "2025.3.5", "王五", None, None, "水"]):
        old.append(one)
    old.sheet_state = "hidden"
    found = reading_of(saved(book))
    assert [(record.sheet, record.row) for record in found.records] == [("台账", 2)]
    assert {(one.spot.sheet, one.key) for one in found.notes} == {
        ("Sheet", "import.note.no_header"),
        ("旧", "import.note.hidden_sheet"),
    }


def test_a_hidden_column_is_read_and_said() -> None:
    book: Any = openpyxl.Workbook()
    for one in (HEADER, ["1", "2026.3.5", "李桂兰", "202-555-0101", None, "水"]):
        book.active.append(one)
    book.active.column_dimensions["D"].hidden = True
    found = reading_of(saved(book))
    assert found.records[0].phones == ("+12025550101",)
    assert keys(found.notes) == [(0, "联系电话", "hidden")]


def test_a_file_without_a_header_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        reading_of(comma_separated([["姓名", "金额"], ["王五", "3"]]), "r.csv")
    assert refused.value.key == "import.not_a_ledger"


def test_rows_are_numbered_as_the_spreadsheet_shows_them() -> None:
    rows: list[list[Any]] = [[], [], ["台账"], HEADER, ["1", "2026.3.5", "李桂兰", None, None, "水"]]
    assert [record.row for record in reading_of(workbook(rows)).records] == [5]
    gbk = comma_separated(
        [HEADER, ["1", "2026.3.5", "李\n桂兰", "", "", "水"], ["2", "2026.3.6", "王五", "", "", "路"]], "gbk"
    )
    assert [record.row for record in reading_of(gbk, "r.csv").records] == [2, 3]


def test_progress_is_told_on_the_way() -> None:
    heard: list[tuple[int, int]] = []
    rows = [row(n, party=f"居民{n}甲") for n in range(1200)]
    read(table(LONG, *rows), ledger(), progress=lambda done, total: heard.append((done, total)))
    assert heard == [(500, 1200), (1000, 1200), (1200, 1200)]


def test_a_reason_quotes_the_cell_and_of_a_number_only_its_end() -> None:
    found = reading(LONG, row("1", "2026-02-30"), row("2", party="王五", 联系电话="0101-555"))
    assert [(one.key, one.values["text"]) for one in found.rejected] == [
        ("import.why.no_such_day", "2026-02-30")
    ]
    assert [(one.key, one.values["text"]) for one in found.unread] == [("import.why.no_phone", "****-*55")]


def test_a_number_the_spreadsheet_rounded_is_told_apart_from_one_that_is_too_short() -> None:
    found = reading(LONG, row("1", 联系电话="1.3E+10"), row("2", party="王五", 联系电话="12"))
    assert [one.key for one in found.unread] == ["import.why.lost_phone", "import.why.no_phone"]


def test_a_day_of_receipt_still_to_come_rejects_the_row() -> None:
    found = reading(LONG, row("1", "2026-11-24"), row("2", "2026-11-23", party="王五"))
    assert keys(found.rejected) == [(2, "登记时间", "future")]
    assert [record.row for record in found.records] == [3]


def test_a_day_due_before_receipt_is_a_question_and_its_answer_counts() -> None:
    rows = [LONG, row("1", "2026-03-05", 办理期限="2025-05-01")]
    found = reading(*rows)
    assert questions(found) == [(2, "办理期限", ("2026-05-01", "as_written", "leave_out"))]
    assert (found.records[0].due_on, found.records[0].held) == (None, False)
    for answer, day in (
        ("2026-05-01", date(2026, 5, 1)),
        ("as_written", date(2025, 5, 1)),
        ("leave_out", None),
    ):
        settled = reading(*rows, answers={("Sheet1", 2, "办理期限"): answer})
        assert (settled.questions, settled.records[0].due_on) == ((), day)


def test_a_sheet_with_nothing_below_its_header_says_so() -> None:
    assert [one.key for one in reading(LONG).notes] == ["import.note.no_rows"]
    assert "import.note.no_rows" not in {one.key for one in reading(LONG, row("1")).notes}
    rejected = reading(LONG, row("1", None))
    assert "import.note.no_rows" not in {one.key for one in rejected.notes}
