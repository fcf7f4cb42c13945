"""Every table of the database; imported by `store` and the migrations only."""

import sqlalchemy as sa

from reminder.store.columns import archived, at, flag, json, metadata, number, ref, serial, table, text, where
from reminder.store.types import UtcDateTime

__all__ = ["metadata"]

meta = table("meta", sa.Column("key", sa.String, primary_key=True), text("value"))

units = table(
    "units",
    serial(),
    text("name"),
    text("kind"),
    ref("parent_id", "units"),
    # No foreign key: a unit and its head refer to each other.
    sa.Column("head_id", sa.Integer),
)
people = table(
    "people",
    serial(),
    text("name"),
    ref("unit_id", "units", nullable=False),
    text("lang", "zh"),
    flag("active", default=True),
    sa.Column("chat_id", sa.BigInteger, unique=True),
    text("phone"),
    text("digest_at", "08:10"),
    at("enrolled_at"),
    sa.Column("bot", sa.BigInteger),
)
absences = table(
    "absences",
    serial(),
    ref("person_id", "people", nullable=False),
    ref("deputy_id", "people", nullable=False),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("to_on", sa.Date, nullable=False),
)
postings = table(
    "postings",
    serial(),
    ref("person_id", "people", nullable=False),
    text("place"),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("to_on", sa.Date),
)
roles = table(
    "roles",
    sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("role", sa.String, primary_key=True),
)
invites = table(
    "invites",
    serial(),
    sa.Column("code_hash", sa.String, unique=True, nullable=False),
    ref("person_id", "people", nullable=False),
    sa.Column("issued_by", sa.Integer),
    at("issued_at", nullable=False),
    at("expires_at", nullable=False),
    at("used_at"),
)

households = table(
    "households",
    serial(),
    text("place", index=True),
    text("label"),
    number("members", 1),
    # Care visits go only where somebody said they are welcome.
    flag("agreed"),
)
residents = table(
    "residents",
    serial(),
    text("name"),
    text("lang", "zh"),
    text("place"),
    flag("contacted", default=True),
    flag("can_read", default=True),
    flag("wants_texts", default=True),
    # How news reaches them where texts do not: call, agent or paper; and what helps at the door.
    text("reach_by"),
    text("needs"),
)
phones = table(
    "phones",
    serial(),
    sa.Column("uid", sa.String, unique=True, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("blind", sa.String, unique=True, nullable=False),
    text("last4"),
    flag("texts", default=True),
)
holders = table(
    "holders",
    sa.Column("resident_id", sa.Integer, sa.ForeignKey("residents.id"), primary_key=True),
    sa.Column("phone_id", sa.Integer, sa.ForeignKey("phones.id"), primary_key=True, index=True),
)
opt_outs = table(
    "opt_outs",
    serial(),
    sa.Column("blind", sa.String, nullable=False, index=True),
    text("sender"),
    text("source"),
    at("at", nullable=False),
    at("restored_at"),
)

cases = table(
    "cases",
    serial(),
    sa.Column("number", sa.String, unique=True, nullable=False),
    text("protocol"),
    text("protocol_version"),
    text("category", "other"),
    text("track", "appeal"),
    text("place"),
    text("request"),
    text("channel"),
    text("status", "received", index=True),
    ref("unit_id", "units"),
    ref("handler_id", "people"),
    ref("first_contact_id", "people"),
    ref("responsible_id", "people"),
    flag("confidential"),
    flag("imported"),
    flag("direct_answer"),
    number("group_size", 1),
    at("opened_at", nullable=False),
    number("version", 1),
    ref("sponsor_id", "people"),
    # The unit a referral waits at; the unit a confidential report is about.
    ref("referred_id", "units"),
    ref("reported_id", "units"),
    ref("merged_into_id", "cases"),
    # The protocol a person moved the case to, if it is no longer the one it was registered under.
    text("moved_protocol"),
    text("moved_version"),
    flag("paused"),
    # Some of its messages may be among the archived ones.
    flag("has_archive"),
)
parties = table(
    "parties",
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("resident_id", sa.Integer, sa.ForeignKey("residents.id"), primary_key=True, index=True),
    text("role", "applicant"),
    flag("notify", default=True),
)
deeds = table(
    "deeds",
    serial(),
    ref("case_id", "cases"),
    sa.Column("by", sa.Integer),
    text("action"),
    at("at", nullable=False),
    at("undone_at"),
    sa.Column("source", sa.String, unique=True),
    *(sa.Index(f"ix_deeds_{name}", name) for name in ("case_id", "by", "at")),
)
facts = table(
    "facts",
    serial(),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), nullable=False, index=True),
    ref("deed_id", "deeds"),
    text("event"),
    text("subject"),
    at("at", nullable=False),
    at("recorded_at", nullable=False),
    json("value"),
    sa.Column("by", sa.Integer),
    at("voided_at"),
    where("ix_facts_voided", "voided_at", "voided_at IS NOT NULL"),
)
entries = table(
    "entries",
    serial(),
    ref("case_id", "cases", nullable=False),
    text("key"),
    text("milestone"),
    text("kind"),
    text("status"),
    text("bound"),
    number("revision", 1),
    at("since", nullable=False),
    at("anchor_at", nullable=False),
    sa.Column("nominal_on", sa.Date),
    sa.Column("due_on", sa.Date),
    sa.Column("promise_on", sa.Date),
    at("due_at"),
    at("starts_at"),
    at("ends_at"),
    text("place"),
    text("mode"),
    number("tries"),
    flag("provisional"),
    at("ended_at"),
    text("asked_by", "office"),
    text("note"),
    json("detail"),
    ref("person_id", "people", index=True),
    sa.Column("reasoned_on", sa.Date),
    sa.UniqueConstraint("case_id", "key"),
    sa.Index("ix_entries_ended_at", "ended_at"),
    where("ix_entries_open", "case_id", "status IN ('confirmed', 'missed_by_office', 'open', 'proposed')"),
    where("ix_entries_confirmed", "ends_at", "status = 'confirmed'"),
)
agenda = table(
    "agenda",
    sa.Column("due_at", UtcDateTime, primary_key=True),
    sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id"), primary_key=True, unique=True),
    sqlite_with_rowid=False,
)

reminders = table(
    "reminders",
    serial(),
    sa.Column("key", sa.String, unique=True, nullable=False),
    sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id"), index=True),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), index=True),
    number("revision"),
    text("step"),
    ref("person_id", "people"),
    ref("resident_id", "residents"),
    ref("phone_id", "phones"),
    text("channel"),
    text("kind"),
    at("due_at", nullable=False),
    at("send_after", nullable=False),
    at("useless_at"),
    text("state", "planned"),
    text("reason"),
    ref("digest_id", "reminders"),
    number("attempts"),
    sa.Column("token", sa.String, unique=True),
    at("lease_until"),
    text("provider_id"),
    at("sent_at"),
    at("ended_at"),
    json("told"),
    json("detail"),
    flag("repeated"),
    where("ix_reminders_ready", "send_after", "state = 'planned'"),
    where("ix_reminders_flying", "lease_until", "state IN ('sending', 'uncertain')"),
    where("ix_reminders_silent", "sent_at", "state = 'sent' AND channel = 'sms'"),
    # Of what most rows have not: the database would keep each of them in it, anew at each change on a server.
    where("ix_reminders_person_day", "person_id", "person_id IS NOT NULL", "due_at"),
    where("ix_reminders_phone_day", "phone_id", "phone_id IS NOT NULL", "due_at"),
    where("ix_reminders_digest", "digest_id", "digest_id IS NOT NULL"),
    where("ix_reminders_provider_id", "provider_id", "provider_id != ''"),
)
attempts = table(
    "attempts",
    sa.Column("token", sa.String, primary_key=True),
    sa.Column("reminder_id", sa.Integer, sa.ForeignKey("reminders.id"), nullable=False, index=True),
    number("n", 1),
    at("started_at", nullable=False),
    at("ended_at"),
    text("outcome"),
    text("code"),
    text("provider_id"),
    # The text as sent, to find it in the provider's log when the answer was lost.
    sa.Column("sealed", sa.LargeBinary),
)
receipts = table(
    "receipts",
    sa.Column("provider_id", sa.String, primary_key=True),
    sa.Column("status", sa.String, primary_key=True),
    text("token", index=True),
    text("code"),
    at("received_at", nullable=False),
)
inbox = table(
    "inbox",
    serial(),
    text("source"),
    text("external_id"),
    sa.Column("uid", sa.String, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    at("received_at", nullable=False),
    text("state", "received"),
    number("tries"),
    text("error"),
    at("processed_at"),
    sa.UniqueConstraint("source", "external_id"),
    sa.Index("ix_inbox_source", "source", "id"),
    where("ix_inbox_open", "id", "state = 'received'"),
)
questions = table(
    "questions",
    serial(),
    ref("phone_id", "phones", nullable=False),
    ref("resident_id", "residents", nullable=False),
    ref("case_id", "cases", nullable=False),
    ref("entry_id", "entries", index=True),
    ref("reminder_id", "reminders", index=True),
    text("kind"),
    text("digits"),
    at("asked_at", nullable=False),
    at("expires_at", nullable=False),
    at("ended_at"),
    text("answer"),
    where("uq_questions_open", "phone_id", "ended_at IS NULL", unique=True),
)
dialogs = table(
    "dialogs",
    sa.Column("chat_id", sa.BigInteger, primary_key=True),
    text("asks"),
    json("detail"),
    at("at", nullable=False),
)

timeline = table(
    "timeline",
    serial(),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), index=True),
    at("at", nullable=False),
    text("what"),
    sa.Column("by", sa.Integer),
    json("detail"),
)
audit = table(
    "audit",
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    at("at", nullable=False),
    sa.Column("actor", sa.Integer),
    text("action"),
    text("object"),
    json("detail"),
    text("previous"),
    sa.Column("hash", sa.String, unique=True, nullable=False),
)
calendar_days = table(
    "calendar_days",
    sa.Column("day", sa.Date, primary_key=True),
    text("kind"),
    text("name"),
)
protocol_versions = table(
    "protocol_versions",
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("version", sa.String, primary_key=True),
    json("texts"),
    at("since", nullable=False),
)
import_rows = table(
    "import_rows",
    sa.Column("row_key", sa.String, primary_key=True),
    ref("case_id", "cases"),
    text("row_hash"),
    at("at", nullable=False),
)

archived_reminders = archived(reminders, "case_id", "provider_id")
archived_attempts = archived(attempts, "reminder_id")
archived_receipts = archived(receipts)
archived_questions = archived(questions, "reminder_id")
