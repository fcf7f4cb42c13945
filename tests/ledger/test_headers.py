from pathlib import Path
from typing import Any

import pytest

from reminder.domain.errors import Faulty
from reminder.ledger import files
from reminder.ledger.headers import Layout, layout
from reminder.ledger.lexicon import FIELDS, Lexicon, plain
from tests.ledger.books import HEADER, LEXICON, ROOT, table, workbook


def laid_out(*rows: list[str], **more: Any) -> Layout:
    found = layout(table(*rows, **more)[0], LEXICON)
    assert found is not None
    return found


def fields(found: Layout) -> dict[str, str]:
    return {column.label: column.field for column in found.columns}


def test_every_field_has_a_header_in_both_languages() -> None:
    for field in FIELDS:
        names = [name for name, (of, _) in LEXICON.fields.items() if of == field]
        assert any(name.isascii() and name.isalpha() for name in names), field
        assert any("\u4e00" <= letter <= "\u9fff" for name in names for letter in name), field


def test_the_headers_seen_in_real_offices_are_all_known() -> None:
    seen = [
        "编号",
        "责任科室",
        "信访方式",
        "标题",
        "接件时间",
        "类型",
        "乡镇",
        "转办时间",
        "应结办日期",
        "办理情况",
        "办结时间",
        "科室接办人",
        "办理人",
        "信访人",
        "实际居住地址",
        "联系电话",
        "信访诉求",
        "目前状况",
        "工作措施",
        "本月工作情况",
        "包案领导及联系方式",
        "专办工作人员及联系方式",
        "上访时间",
        "责任单位",
        "包案领导",
        "序号或来信编号",
        "信访类型",
        "信访内容",
        "登记时间",
        "住址",
        "信访形式",
        "问题类别",
        "主要诉求",
        "承办人",
        "办理期限",
        "答复时间",
        "是否办结",
        "满意度",
        "回访情况",
        "是否重复访",
        "是否集体访",
        "初访/重访",
        "人数",
        "来信编号",
        "受理编号",
        "收件日期",
    ]
    assert [name for name in seen if plain(name) not in LEXICON.fields] == []


@pytest.mark.parametrize(
    "written",
    [
        "登记时间",
        " 登 记\n时 间 ",
        "登记时间（必填）",
        "＊登记时间：",
        "登记时间(年月日)",
        "Date Received",
        "DATE  RECEIVED*",
        "登记时间 Date received",
    ],
)
def test_blanks_brackets_case_and_full_width_make_no_difference(written: str) -> None:
    assert "received_on" in fields(laid_out(["序号", written, "信访人", "住址"])).values()


@pytest.mark.parametrize("titles", [0, 1, 5])
def test_the_header_is_found_below_titles(titles: int) -> None:
    found = laid_out(*[["2026年信访台账", "", "", ""]] * titles, HEADER, ["1"])
    assert (found.first_header, found.first_row) == (titles, titles + 1)


def test_three_known_headers_are_not_a_header() -> None:
    assert layout(table(["序号", "登记时间", "信访人", "别的"])[0], LEXICON) is None


def test_a_header_of_two_rows_under_a_merged_title_is_joined() -> None:
    rows = [
        ["2026年台账", "", "", "", "", "", ""],
        ["序号", "信访人", "", "时间", "", "主要诉求", "承办人"],
        ["", "姓名", "电话", "登记", "答复", "", ""],
        ["1", "李桂兰", "202-555-0101", "2026.3.5", "", "水", "陈立文"],
    ]
    merged = ["A1:G1", "A2:A3", "B2:C2", "D2:E2", "F2:F3", "G2:G3"]
    [sheet] = files.sheets("r.xlsx", workbook(rows, merged=merged))
    found = layout(sheet, LEXICON)
    assert found is not None
    assert (found.first_header, found.first_row) == (1, 3)
    kinds = [column.field for column in found.columns]
    assert kinds[:3] == ["external_no", "party", "phones"]
    assert kinds[-2:] == ["request", "handler"]


def test_parent_and_child_headers_make_one_name() -> None:
    rows = [["序号", "信访人", "接件", "转办", "主要诉求"], ["", "", "时间", "时间", ""]]
    assert list(fields(laid_out(*rows)).values()) == [
        "external_no",
        "party",
        "received_on",
        "referred_on",
        "request",
    ]


def test_the_telephone_of_an_officer_is_never_taken_for_the_residents() -> None:
    rows = [["序号", "登记时间", "信访人", "住址", "承办人", "承办人"], ["", "", "", "", "姓名", "电话"]]
    assert "phones" not in fields(laid_out(*rows)).values()
    assert "phones" not in fields(laid_out([*HEADER[:3], "住址", "承办人电话", "包案领导电话"])).values()


@pytest.mark.parametrize(
    "name",
    [
        "身份证号",
        "身份证号码",
        "民族",
        "政治面貌",
        "稳控单位",
        "稳控责任人",
        "是否重点人员",
        "重点人员",
        "是否正常访",
        "息诉罢访",
        "是否息诉罢访",
        "ID number",
        "National ID",
        "Ethnicity",
        "Political affiliation",
        "Stability control unit",
        "Key person",
        "Watch list",
        "Date of birth",
    ],
)
def test_what_is_never_imported_is_left_out_by_name(name: str) -> None:
    found = laid_out([*HEADER, name])
    assert found.left_out == (name,)
    assert found.unknown == ()
    assert name not in fields(found)


def test_a_column_nobody_knows_is_reported() -> None:
    assert laid_out([*HEADER, "天气"]).unknown == ("天气",)


def test_the_main_header_wins_and_the_other_column_is_reported() -> None:
    found = laid_out([*HEADER, "户籍地址", "手机"])
    assert set(found.doubled) == {("户籍地址", "住址"), ("手机", "联系电话")}
    assert found.unknown == ()
    first = laid_out(["手机", *HEADER])
    assert first.of("phones")[0].label == "联系电话"


def test_the_same_header_twice_is_told_apart_by_its_letter() -> None:
    found = laid_out([*HEADER, "联系电话"])
    assert found.doubled == (("联系电话 (G)", "联系电话 (D)"),)


def test_our_own_result_column_is_passed_over() -> None:
    found = laid_out([*HEADER, "结果/Result"])
    assert found.unknown == ()


def test_a_data_row_below_is_not_taken_for_a_second_header() -> None:
    assert laid_out(HEADER, ["1", "2026.3.5", "李桂兰", "电话", "地址", "诉求"]).first_row == 1


def test_a_header_that_a_file_hides_is_named() -> None:
    assert laid_out(HEADER, hidden=frozenset({3})).hidden == ("联系电话",)


def test_a_mangled_table_of_headers_says_what_is_wrong(tmp_path: Path) -> None:
    text = (ROOT / "templates/ledger_headers.toml").read_text(encoding="utf-8")
    for broken in ("", "[fields", text.replace("score = [", "grade = ["), text.replace("[never]", "[ever]")):
        path = tmp_path / "headers.toml"
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(Faulty, match=r"headers\.toml"):
            Lexicon.load(path)
