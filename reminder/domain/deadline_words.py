"""How a deadline and the way it was reached are said in plain words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

from reminder.domain.deadlines import Due, Step, StepKind
from reminder.domain.limits import CountFrom, Limit, Unit
from reminder.domain.workdays import RestKind


class Lang(StrEnum):
    """Languages these sentences exist in."""

    ZH = "zh"
    EN = "en"


HOLIDAY_NAMES = {Lang.ZH: "zh_CN", Lang.EN: "en_US"}

WEEKDAYS = {Lang.ZH: "一二三四五六日", Lang.EN: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}

AMOUNTS: Mapping[Lang, Mapping[Unit, tuple[str, str]]] = {
    Lang.EN: {
        Unit.CAL: ("1 calendar day", "{n} calendar days"),
        Unit.WD: ("1 working day", "{n} working days"),
        Unit.HOUR: ("1 hour", "{n} hours"),
        Unit.MINUTE: ("1 minute", "{n} minutes"),
        Unit.MONTH: ("1 month", "{n} months"),
    },
    Lang.ZH: {
        Unit.CAL: ("1 个自然日", "{n} 个自然日"),
        Unit.WD: ("1 个工作日", "{n} 个工作日"),
        Unit.HOUR: ("1 小时", "{n} 小时"),
        Unit.MINUTE: ("1 分钟", "{n} 分钟"),
        Unit.MONTH: ("1 个月", "{n} 个月"),
    },
}

WORDS: Mapping[Lang, Mapping[str, str]] = {
    Lang.EN: {
        "asked": "{amount} from {anchor}, calendar {calendar}",
        CountFrom.NEXT_DAY: "; the day after it is day 1.",
        CountFrom.SAME_DAY: "; that day itself is day 1.",
        "asked_time": "{amount} from {anchor}.",
        "nominal": "Nominal end: {day}",
        "effective": "Deadline:    {day}",
        "promise": "Promise:     {day} (the latest a resident should be told)",
        "how": "How these dates were reached:",
        "plain": "Nothing stands in the way: no rest day moves them",
        "elapsed": "Hours and minutes run through nights and rest days, so nothing moves",
        "rest": "Not worked: {run}{name}",
        "weekends": "Ordinary weekend days not worked: {count}",
        StepKind.MADE_UP: "Worked although it is a weekend: {run}",
        StepKind.CLAMPED: "The month has no such day, so its last day stands in: {first}",
        StepKind.ROLLED: "{first} is a rest day, so the deadline moves to {last}",
        StepKind.PULLED_BACK: "Only the last working day up to {last} is promised: {first}",
        StepKind.PROVISIONAL: "Provisional: the rest days of {year} are not published yet and may move this",
        "early": "The promise lies before the start: every day in between is a rest day",
        "run": "{first} to {last}",
        "named": " ({name})",
        "bullet": "  - {text}.",
        "extended": "Extended by {amount}, counted from the nominal end {day}:",
    },
    Lang.ZH: {
        "asked": "从 {anchor} 起 {amount}，日历 {calendar}",
        CountFrom.NEXT_DAY: "；次日算第 1 天。",
        CountFrom.SAME_DAY: "；当天算第 1 天。",
        "asked_time": "从 {anchor} 起 {amount}。",
        "nominal": "名义届满日：{day}",
        "effective": "截止日：    {day}",
        "promise": "承诺日：    {day}（告知群众时不晚于这一天）",
        "how": "推算过程：",
        "plain": "没有遇到休息日，日期不变",
        "elapsed": "小时和分钟昼夜连续计算，不因休息日变动",
        "rest": "不上班：{run}{name}",
        "weekends": "其他不上班的周末共 {count} 天",
        StepKind.MADE_UP: "周末补班，照常计算：{run}",
        StepKind.CLAMPED: "当月没有这一天，以月末代替：{first}",
        StepKind.ROLLED: "{first} 是休息日，截止日移到 {last}",
        StepKind.PULLED_BACK: "承诺日取 {last} 之前最后一个工作日：{first}",
        StepKind.PROVISIONAL: "暂定：{year} 年的放假安排尚未公布，日期可能变化",
        "early": "承诺日早于起算日：这期间全是休息日",
        "run": "{first} 至 {last}",
        "named": "（{name}）",
        "bullet": "  - {text}。",
        "extended": "延长 {amount}，从名义届满日 {day} 起算：",
    },
}


def explained(due: Due, lang: Lang) -> list[str]:
    """The question, the three dates and how they were reached, one line each."""
    words = WORDS[lang]
    amount = amount_of(due.limit, lang)
    if due.limit.unit.elapsed:
        question = words["asked_time"].format(amount=amount, anchor=_day(due.anchor, lang))
    else:
        question = words["asked"].format(
            amount=amount, anchor=_day(due.anchor, lang), calendar=due.calendar.code
        )
        question += words[due.count_from]
    return [question, *_reckoned(due, lang)]


def explained_extension(due: Due, lang: Lang) -> list[str]:
    """The same for the result of `extend`, which starts at the nominal end."""
    amount, day = amount_of(due.limit, lang), _day(due.anchor, lang)
    return [WORDS[lang]["extended"].format(amount=amount, day=day), *_reckoned(due, lang)]


def _reckoned(due: Due, lang: Lang) -> Iterator[str]:
    words = WORDS[lang]
    for key, day in (("nominal", due.nominal), ("effective", due.effective), ("promise", due.promise)):
        yield words[key].format(day=_day(day, lang))
    yield words["how"]
    if due.limit.unit.elapsed:
        yield words["bullet"].format(text=words["elapsed"])
        return
    for text in reached(due, lang) or [words["plain"]]:
        yield words["bullet"].format(text=text)


def reached(due: Due, lang: Lang) -> list[str]:
    """What stood in the way of the dates, one phrase each: days not worked, made up, rolled, provisional."""
    told = list(_told(due.steps_in(HOLIDAY_NAMES[lang]), lang))
    if not due.limit.unit.elapsed and due.promise < due.anchor:
        told.append(WORDS[lang]["early"])
    return told


def _told(steps: Sequence[Step], lang: Lang) -> Iterator[str]:
    words = WORDS[lang]
    weekends = 0
    for step in steps:
        if step.why is RestKind.WEEKEND:
            weekends += (step.last_on - step.first_on).days + 1
        elif step.kind is StepKind.SKIPPED:
            name = words["named"].format(name=step.name) if step.name else ""
            yield words["rest"].format(run=_run(step, lang), name=name)
    if weekends:
        yield words["weekends"].format(count=weekends)
    for step in steps:
        if step.kind is not StepKind.SKIPPED:
            yield words[step.kind].format(
                run=_run(step, lang),
                first=_day(step.first_on, lang),
                last=_day(step.last_on, lang),
                year=step.first_on.year,
            )


def _run(step: Step, lang: Lang) -> str:
    if step.first_on == step.last_on:
        return _day(step.first_on, lang)
    return WORDS[lang]["run"].format(first=_day(step.first_on, lang), last=_day(step.last_on, lang))


def amount_of(limit: Limit, lang: Lang) -> str:
    """A limit in words: "60 calendar days"."""
    one, many = AMOUNTS[lang][limit.unit]
    return one if limit.amount == 1 else many.format(n=limit.amount)


def _day(day: date, lang: Lang) -> str:
    """A weekday beside the date, so that a slip is seen at once."""
    name = WEEKDAYS[lang][day.weekday()]
    text = day.isoformat(sep=" ") if isinstance(day, datetime) else day.isoformat()
    return f"{name} {text}" if lang is Lang.EN else f"{text} 周{name}"
