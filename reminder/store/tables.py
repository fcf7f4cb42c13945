"""Every table of the database; imported by `store` and the migrations only."""

from typing import Any

import sqlalchemy as sa

from reminder.store.types import UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> "sa.Table[Any]":
    return sa.Table(name, metadata, *columns, **options)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = True, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{target}.id"), nullable=nullable, **options)


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime, nullable=nullable)


def _text(name: str, default: str = "", **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default=default, **options)


def _flag(name: str, *, default: bool = False) -> sa.Column[bool]:
    value = sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean(create_constraint=False), nullable=False, server_default=value)


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=str(default))


def _where(name: str, column: str, condition: str, *, unique: bool = False) -> sa.Index:
    """An index of those rows only that are asked for; finished ones would bury them in time."""
    return sa.Index(name, column, unique=unique, sqlite_where=sa.text(condition))


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=False)


meta = _table("meta", sa.Column("key", sa.String, primary_key=True), _text("value"))

units = _table(
    "units",
    _id(),
    _text("name"),
    _text("kind"),
    _ref("parent_id", "units"),
    # No foreign key: a unit and its head refer to each other.
    sa.Column("head_id", sa.Integer),
)
people = _table(
    "people",
    _id(),
    _text("name"),
    _ref("unit_id", "units", nullable=False),
    _text("lang", "zh"),
    _flag("active", default=True),
    sa.Column("chat_id", sa.BigInteger, unique=True),
    _text("phone"),
    _text("digest_at", "08:10"),
    _at("enrolled_at"),
    sa.Column("bot", sa.BigInteger),
)
absences = _table(
    "absences",
    _id(),
    _ref("person_id", "people", nullable=False),
    _ref("deputy_id", "people", nullable=False),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("to_on", sa.Date, nullable=False),
)
postings = _table(
    "postings",
    _id(),
    _ref("person_id", "people", nullable=False),
    _text("place"),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("to_on", sa.Date),
)
roles = _table(
    "roles",
    sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("role", sa.String, primary_key=True),
)
invites = _table(
    "invites",
    _id(),
    sa.Column("code_hash", sa.String, unique=True, nullable=False),
    _ref("person_id", "people", nullable=False),
    sa.Column("issued_by", sa.Integer),
    _at("issued_at", nullable=False),
    _at("expires_at", nullable=False),
    _at("used_at"),
)

households = _table(
    "households",
    _id(),
    _text("place", index=True),
    _text("label"),
    _number("members", 1),
    # Care visits go only where somebody said they are welcome.
    _flag("agreed"),
)
residents = _table(
    "residents",
    _id(),
    _text("name"),
    _text("lang", "zh"),
    _text("place"),
    _flag("contacted", default=True),
    _flag("can_read", default=True),
    _flag("wants_texts", default=True),
    # How news reaches them where texts do not: call, agent or paper; and what helps at the door.
    _text("reach_by"),
    _text("needs"),
)
phones = _table(
    "phones",
    _id(),
    sa.Column("uid", sa.String, unique=True, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("blind", sa.String, unique=True, nullable=False),
    _text("last4"),
    _flag("texts", default=True),
)
holders = _table(
    "holders",
    sa.Column("resident_id", sa.Integer, sa.ForeignKey("residents.id"), primary_key=True),
    sa.Column("phone_id", sa.Integer, sa.ForeignKey("phones.id"), primary_key=True, index=True),
)
opt_outs = _table(
    "opt_outs",
    _id(),
    sa.Column("blind", sa.String, nullable=False, index=True),
    _text("sender"),
    _text("source"),
    _at("at", nullable=False),
    _at("restored_at"),
)

cases = _table(
    "cases",
    _id(),
    sa.Column("number", sa.String, unique=True, nullable=False),
    _text("protocol"),
    _text("protocol_version"),
    _text("category", "other"),
    _text("track", "appeal"),
    _text("place"),
    _text("request"),
    _text("channel"),
    _text("status", "received", index=True),
    _ref("unit_id", "units"),
    _ref("handler_id", "people"),
    _ref("first_contact_id", "people"),
    _ref("responsible_id", "people"),
    _flag("confidential"),
    _flag("imported"),
    _flag("direct_answer"),
    _number("group_size", 1),
    _at("opened_at", nullable=False),
    _number("version", 1),
    _ref("sponsor_id", "people"),
    # The unit a referral waits at; the unit a confidential report is about.
    _ref("referred_id", "units"),
    _ref("reported_id", "units"),
    _ref("merged_into_id", "cases"),
    # The protocol a person moved the case to, if it is no longer the one it was registered under.
    _text("moved_protocol"),
    _text("moved_version"),
    _flag("paused"),
)
parties = _table(
    "parties",
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("resident_id", sa.Integer, sa.ForeignKey("residents.id"), primary_key=True, index=True),
    _text("role", "applicant"),
    _flag("notify", default=True),
)
deeds = _table(
    "deeds",
    _id(),
    _ref("case_id", "cases"),
    sa.Column("by", sa.Integer),
    _text("action"),
    _at("at", nullable=False),
    _at("undone_at"),
    sa.Column("source", sa.String, unique=True),
    *(sa.Index(f"ix_deeds_{name}", name) for name in ("case_id", "by", "at")),
)
facts = _table(
    "facts",
    _id(),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), nullable=False, index=True),
    _ref("deed_id", "deeds"),
    _text("event"),
    _text("subject"),
    _at("at", nullable=False),
    _at("recorded_at", nullable=False),
    _json("value"),
    sa.Column("by", sa.Integer),
    _at("voided_at"),
    _where("ix_facts_voided", "voided_at", "voided_at IS NOT NULL"),
)
entries = _table(
    "entries",
    _id(),
    _ref("case_id", "cases", nullable=False),
    _text("key"),
    _text("milestone"),
    _text("kind"),
    _text("status"),
    _text("bound"),
    _number("revision", 1),
    _at("since", nullable=False),
    _at("anchor_at", nullable=False),
    sa.Column("nominal_on", sa.Date),
    sa.Column("due_on", sa.Date),
    sa.Column("promise_on", sa.Date),
    _at("due_at"),
    _at("starts_at"),
    _at("ends_at"),
    _text("place"),
    _text("mode"),
    _number("tries"),
    _flag("provisional"),
    _at("ended_at"),
    _text("asked_by", "office"),
    _text("note"),
    _json("detail"),
    _ref("person_id", "people", index=True),
    sa.Column("reasoned_on", sa.Date),
    sa.UniqueConstraint("case_id", "key"),
    sa.Index("ix_entries_ended_at", "ended_at"),
    _where("ix_entries_open", "case_id", "status IN ('confirmed', 'missed_by_office', 'open', 'proposed')"),
    _where("ix_entries_confirmed", "ends_at", "status = 'confirmed'"),
)
agenda = _table(
    "agenda",
    sa.Column("due_at", UtcDateTime, primary_key=True),
    sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id"), primary_key=True, unique=True),
    sqlite_with_rowid=False,
)

reminders = _table(
    "reminders",
    _id(),
    sa.Column("key", sa.String, unique=True, nullable=False),
    sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id"), index=True),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), index=True),
    _number("revision"),
    _text("step"),
    _ref("person_id", "people"),
    _ref("resident_id", "residents"),
    _ref("phone_id", "phones"),
    _text("channel"),
    _text("kind"),
    _at("due_at", nullable=False),
    _at("send_after", nullable=False),
    _at("useless_at"),
    _text("state", "planned"),
    _text("reason"),
    _ref("digest_id", "reminders"),
    _number("attempts"),
    sa.Column("token", sa.String, unique=True),
    _at("lease_until"),
    _text("provider_id", index=True),
    _at("sent_at"),
    _at("ended_at"),
    _json("told"),
    _json("detail"),
    _flag("repeated"),
    _where("ix_reminders_ready", "send_after", "state = 'planned'"),
    _where("ix_reminders_flying", "lease_until", "state IN ('sending', 'uncertain')"),
    _where("ix_reminders_silent", "sent_at", "state = 'sent' AND channel = 'sms'"),
    sa.Index("ix_reminders_person_day", "person_id", "due_at"),
    sa.Index("ix_reminders_phone_day", "phone_id", "due_at"),
    sa.Index("ix_reminders_digest", "digest_id"),
)
attempts = _table(
    "attempts",
    sa.Column("token", sa.String, primary_key=True),
    sa.Column("reminder_id", sa.Integer, sa.ForeignKey("reminders.id"), nullable=False, index=True),
    _number("n", 1),
    _at("started_at", nullable=False),
    _at("ended_at"),
    _text("outcome"),
    _text("code"),
    _text("provider_id", index=True),
    # The text as sent, to find it in the provider's log when the answer was lost.
    sa.Column("sealed", sa.LargeBinary),
)
receipts = _table(
    "receipts",
    sa.Column("provider_id", sa.String, primary_key=True),
    sa.Column("status", sa.String, primary_key=True),
    _text("token", index=True),
    _text("code"),
    _at("received_at", nullable=False),
)
inbox = _table(
    "inbox",
    _id(),
    _text("source"),
    _text("external_id"),
    sa.Column("uid", sa.String, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    _at("received_at", nullable=False),
    _text("state", "received"),
    _number("tries"),
    _text("error"),
    _at("processed_at"),
    sa.UniqueConstraint("source", "external_id"),
    sa.Index("ix_inbox_source", "source", "id"),
    _where("ix_inbox_open", "id", "state = 'received'"),
)
questions = _table(
    "questions",
    _id(),
    _ref("phone_id", "phones", nullable=False),
    _ref("resident_id", "residents", nullable=False),
    _ref("case_id", "cases", nullable=False),
    _ref("entry_id", "entries", index=True),
    _ref("reminder_id", "reminders", index=True),
    _text("kind"),
    _text("digits"),
    _at("asked_at", nullable=False),
    _at("expires_at", nullable=False),
    _at("ended_at"),
    _text("answer"),
    _where("uq_questions_open", "phone_id", "ended_at IS NULL", unique=True),
)
dialogs = _table(
    "dialogs",
    sa.Column("chat_id", sa.BigInteger, primary_key=True),
    _text("asks"),
    _json("detail"),
    _at("at", nullable=False),
)

timeline = _table(
    "timeline",
    _id(),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), index=True),
    _at("at", nullable=False),
    _text("what"),
    sa.Column("by", sa.Integer),
    _json("detail"),
)
audit = _table(
    "audit",
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    _at("at", nullable=False),
    sa.Column("actor", sa.Integer),
    _text("action"),
    _text("object"),
    _json("detail"),
    _text("previous"),
    sa.Column("hash", sa.String, unique=True, nullable=False),
)
calendar_days = _table(
    "calendar_days",
    sa.Column("day", sa.Date, primary_key=True),
    _text("kind"),
    _text("name"),
)
protocol_versions = _table(
    "protocol_versions",
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("version", sa.String, primary_key=True),
    _json("texts"),
    _at("since", nullable=False),
)
import_rows = _table(
    "import_rows",
    sa.Column("row_key", sa.String, primary_key=True),
    _ref("case_id", "cases"),
    _text("row_hash"),
    _at("at", nullable=False),
)
