"""What can be wrong with a table or an argument a person wrote, said in their language with the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from reminder.domain.errors import Fault, Faulty

SAID: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "not_text": ("This is not UTF-8 text.", "Save the table as CSV UTF-8."),
        "not_csv": ("This is not readable as CSV ({reason}).", "Check the quotes around here."),
        "empty": ("There is nothing in it.", "Start with the header: {header}"),
        "no_rows": ("Nothing follows the header.", "Add one line for each row."),
        "column_missing": ("The column {name!r} is missing.", "Use the header: {header}"),
        "column_twice": ("The column {name!r} is there twice.", "Keep one of them."),
        "column_unknown": ("The column {name!r} is not known.", "Did you mean {near!r}? Known: {header}"),
        "cells": ("The line has {found} cells, the header has {wanted}.", "Give every column one cell."),
        "not_a_day": (
            "{text!r} is not a day from 1950 to 2100.",
            "Write it as year-month-day, such as 2027-03-30.",
        ),
        "not_a_moment": (
            "{text!r} is not a date and time from 1950 to 2100.",
            "Write it as 2026-08-03T10:00+08:00 (or without the offset for local time).",
        ),
        "not_an_amount": ("{text!r} is not a whole number from 0 to 999999.", "Write it in digits: 60."),
        "not_one_of": ("{text!r} is not known here.", "Use one of: {choices}."),
        "twice": ("{text!r} was already said on line {earlier}.", "Keep one of the two lines."),
        "not_a_year": ("{text!r} is not a year.", "Write the year the office vouches for, such as 2027."),
        "not_json": ("This is not readable as JSON ({reason}).", "Fetch the file once more, whole."),
        "not_holidays": (
            "This is not a list of holidays.",
            'It starts with {{"year": 2027, "days": [{{"name", "date", "isOffDay"}}, …]}}.',
        ),
        "day_field": ("{field} is missing or of the wrong kind.", "A day has a name, a date and isOffDay."),
        "far_away": ("{text} does not belong to {year}.", "Keep the days of each year in its own file."),
        "no_days_yet": (
            "It holds no days of {year}: they are not published yet.",
            "Import it again once they are.",
        ),
        "year_thin": (
            "{year} is no complete list: {n} days off from Monday to Friday, or work on 1 January.",
            "Import the year's whole list, or leave out that it is confirmed.",
        ),
        "cut_off": ("The file ends before {wanted}.", "Fetch it once more, whole."),
        "not_all_day": (
            "{text!r} is no whole day.",
            "Write it as DTSTART;VALUE=DATE:20270330; events with an hour are no holidays.",
        ),
        "day_needed": ("The event has no DTSTART.", "Give its first day as DTSTART;VALUE=DATE:20270330."),
        "ends_early": (
            "The event ends before it begins.",
            "DTEND is the day after its last day; leave it out for a single day.",
        ),
        "too_long": ("The event lasts {n} days.", "A holiday lasts at most 60; check DTEND."),
        "repeats": ("The event repeats by a rule.", "Write each year's days as events of their own."),
        "both": ("{text} is a rest day and a workday at once (line {earlier}).", "Keep one of the two."),
        "not_readable": ("This cannot be read ({reason}).", "Check the name and the permission to read it."),
        "three_needed": (
            "A date, an amount and a unit belong together.",
            "Write for example: reminder deadline 2026-08-03 60 cal, or give --csv FILE.",
        ),
        "csv_alone": (
            "--csv takes its limits from the file.",
            "Leave out date, amount, unit and --extend, or leave out --csv.",
        ),
        "extension_needs_day": (
            "{limit} ends at a time of day.",
            "Extend a limit in days or months.",
        ),
        "calendar_unknown": ("There is no calendar {code!r}.", "Did you mean {suggestion}?"),
        "calendar_year_out_of_range": (
            "The year {year} is out of reach.",
            "Calendars run from {first} to {last}.",
        ),
    },
    "zh": {
        "not_text": ("文件不是 UTF-8 文本。", "请另存为“CSV UTF-8”格式。"),
        "not_csv": ("无法按 CSV 读取（{reason}）。", "请检查这附近的引号。"),
        "empty": ("文件是空的。", "请以表头开始：{header}"),
        "no_rows": ("表头下面没有内容。", "请每行填写一条。"),
        "column_missing": ("缺少“{name}”这一列。", "请使用表头：{header}"),
        "column_twice": ("“{name}”这一列出现了两次。", "请只保留一列。"),
        "column_unknown": ("不认识“{name}”这一列。", "是不是想写“{near}”？可用的列：{header}"),
        "cells": ("这一行有 {found} 格，表头有 {wanted} 格。", "请让每一列正好一格。"),
        "not_a_day": ("“{text}”不是 1950 至 2100 年之间的日期。", "请写成“年-月-日”，例如 2027-03-30。"),
        "not_a_moment": (
            "“{text}”不是 1950 至 2100 年之间的日期加时间。",
            "请写成 2026-08-03T10:00+08:00（当地时间可以不写时差）。",
        ),
        "not_an_amount": ("“{text}”不是 0 到 999999 的整数。", "请用数字填写，例如 60。"),
        "not_one_of": ("这里不能写“{text}”。", "请从这些里选一个：{choices}。"),
        "twice": ("“{text}”在第 {earlier} 行已经写过。", "请只保留其中一行。"),
        "not_a_year": ("“{text}”不是年份。", "请写单位已确认的年份，例如 2027。"),
        "not_json": ("无法按 JSON 读取（{reason}）。", "请重新下载完整的文件。"),
        "not_holidays": (
            "这不是放假安排。",
            '开头应是 {{"year": 2027, "days": [{{"name", "date", "isOffDay"}}, …]}}。',
        ),
        "day_field": ("{field} 没有写或写得不对。", "每一天要有 name、date 和 isOffDay。"),
        "far_away": ("{text} 不属于 {year} 年。", "每一年的日子请放在各自的文件里。"),
        "no_days_yet": ("里面没有 {year} 年的日子，说明还没有公布。", "公布后请再导入一次。"),
        "year_thin": (
            "{year} 年的安排不完整：周一到周五列了 {n} 个休息日，或元旦要上班。",
            "请导入全年的安排，或去掉“确认”这一行。",
        ),
        "cut_off": ("文件没有写完，缺少 {wanted}。", "请重新下载完整的文件。"),
        "not_all_day": ("“{text}”不是整天。", "请写成 DTSTART;VALUE=DATE:20270330；有钟点的日程不算假日。"),
        "day_needed": ("这个日程没有 DTSTART。", "请写明第一天：DTSTART;VALUE=DATE:20270330。"),
        "ends_early": ("日程还没开始就结束了。", "DTEND 是最后一天的后一天；只有一天时可以不写。"),
        "too_long": ("日程长达 {n} 天。", "一个假期最多 60 天，请核对 DTEND。"),
        "repeats": ("这个日程按规则重复。", "请把每年的日子分别写成日程。"),
        "both": ("{text} 又是休息日又是上班日（见第 {earlier} 行）。", "请只保留一种。"),
        "not_readable": ("无法读取（{reason}）。", "请检查文件名和读取权限。"),
        "three_needed": (
            "日期、数量和单位要一起写。",
            "例如：reminder deadline 2026-08-03 60 cal，或使用 --csv 文件。",
        ),
        "csv_alone": (
            "使用 --csv 时，期限都从文件中读取。",
            "请去掉日期、数量、单位和 --extend，或者去掉 --csv。",
        ),
        "extension_needs_day": ("{limit} 的结果是具体时刻。", "只有按日或按月计算的期限可以延长。"),
        "calendar_unknown": ("没有“{code}”这个日历。", "是不是想写 {suggestion}？"),
        "calendar_year_out_of_range": ("{year} 年超出了范围。", "日历范围是 {first} 年到 {last} 年。"),
    },
}
"""What is wrong and what to do about it, by language and key."""

LINE = {"en": "{place}, line {line}", "zh": "{place}，第 {line} 行"}
COLUMN = {"en": ", column {column}", "zh": "，“{column}”列"}
STDIN = {"en": "standard input", "zh": "标准输入"}
ARGUMENT = {"en": "argument", "zh": "参数"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of one reading, collected; `place` names the file."""

    place: str
    lang: str = "en"
    found: list[tuple[int, Fault]] = field(default_factory=list)
    """Line (0 for the whole file) and fault."""

    def add(self, key: str, line: int | None = None, column: str | None = None, **values: object) -> None:
        """Note one fault by its key in SAID; line and column where there is one."""
        what, remedy = SAID[self.lang][key]
        where = self.place if line is None else LINE[self.lang].format(place=self.place, line=line)
        if column is not None:
            where += f" {column}" if line is None else COLUMN[self.lang].format(column=column)
        fault = Fault(place=where, what=what.format(**values), remedy=remedy.format(**values))
        self.found.append((line or 0, fault))

    def stop(self) -> None:
        """Raise Faulty with everything noted so far, in line order; nothing noted, nothing raised."""
        if self.found:
            raise Faulty([fault for _, fault in sorted(self.found, key=lambda noted: noted[0])])

    def give_up(self, key: str, line: int | None = None, **values: object) -> NoReturn:
        """Note what makes reading on pointless, and raise Faulty with everything noted."""
        self.add(key, line, None, **values)
        self.stop()
        raise AssertionError("a noted fault stops the reading")
