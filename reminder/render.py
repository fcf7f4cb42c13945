"""How a message comes to its words: templates and catalogues, checked when loaded, filled strictly."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from reminder.domain.errors import Faulty, Refused, ReminderError
from reminder.domain.people import Channel
from reminder.kinds import Audience, Kind, read_kinds
from reminder.placeholders import MissingValue, Text
from reminder.segments import Segments, plain_punctuation, segments, sms
from reminder.template_checks import unfitting
from reminder.template_files import Files, Placed

__all__ = [
    "Audience",
    "Kind",
    "MissingValue",
    "NoSuchText",
    "Segments",
    "Templates",
    "segments",
    "sms",
]


class NoSuchText(ReminderError):
    """A kind, channel or word was asked for that no file holds."""


class Templates:
    """Every text of an office, whole and checked; built by `load`, never changed afterwards."""

    def __init__(self, files: Files, kinds: Mapping[str, Kind], default_lang: str) -> None:
        self._texts = files.texts
        self._words = files.words
        self.kinds: Mapping[str, Kind] = MappingProxyType(dict(kinds))
        self.languages: tuple[str, ...] = tuple(sorted({lang for _, _, lang in files.texts}))
        self.default_lang = default_lang

    @classmethod
    def load(cls, folder: Path, *overlays: Path, default_lang: str = "zh") -> "Templates":
        """Read a folder, then each overlay over it: messages file by file, kinds and words key by key.

        Raises Faulty with every fault of every file at once; nothing is loaded then.
        """
        files = Files()
        for layer in (folder, *overlays):
            files.add(layer)
        kinds, faults = read_kinds(files.kinds, files.kind_places)
        faults = [*files.faults, *faults, *unfitting(files, kinds, folder.resolve().name, default_lang)]
        if faults:
            raise Faulty(faults)
        return cls(files, kinds, default_lang)

    def kind(self, name: str) -> Kind:
        """Raises NoSuchText for a kind that is not declared."""
        try:
            return self.kinds[name]
        except KeyError:
            raise NoSuchText(f"no kind of message is named {name!r}") from None

    def text(self, kind: str, channel: str, lang: str, values: Mapping[str, object]) -> str:
        """The message, unsigned. An unknown language gets the office's own.

        Values are text or whole numbers; they are cleaned and never evaluated, and on one line in an SMS.
        Raises MissingValue for a value that is absent, None, or empty though not optional, NoSuchText for an
        unknown kind or a channel it does not declare.
        """
        on_phone = channel == Channel.SMS
        filled = self.placed(kind, channel, lang).text.fill(
            kind, values, flat=on_phone, may_be_empty=self.kinds[kind].optional
        )
        in_ascii = on_phone and not self._known(lang).startswith("zh")
        return (plain_punctuation(filled) if in_ascii else filled).rstrip()

    def placed(self, kind: str, channel: str, lang: str) -> Placed:
        """The template itself with its file, for previews and checks."""
        try:
            return self._texts[kind, channel, self._known(lang)]
        except KeyError:
            raise NoSuchText(f"no template {kind!r} for the channel {channel!r}") from None

    def word(self, key: str, lang: str, /, **values: object) -> str:
        """A short text of the catalogue, always on one line. Raises NoSuchText and MissingValue."""
        return self._word(key, lang).fill(key, values, flat=True)

    def words(self, lang: str) -> Mapping[str, Placed]:
        """The whole catalogue of a language by dotted key."""
        return MappingProxyType(self._words.get(self._known(lang), {}))

    def has_word(self, key: str) -> bool:
        return key in self._words.get(self.default_lang, {})

    def refusal(self, refused: Refused, lang: str) -> str:
        """The sentence for a refusal: the word "refused.<key>", else "<key>".

        A value that is the dotted key of a word ("status.replied") is shown in words.
        """
        key = f"refused.{refused.key}"
        key = key if self.has_word(key) else refused.key
        values = {name: self._in_words(value, lang) for name, value in refused.values.items()}
        return self._word(key, lang).fill(key, values, flat=True, may_be_empty=frozenset(values))

    def _in_words(self, value: object, lang: str) -> str:
        said = str(value)
        is_word = "." in said and self.has_word(said) and not self._word(said, lang).placeholders
        return self.word(said, lang) if is_word else said

    def _word(self, key: str, lang: str) -> Text:
        try:
            return self._words[self._known(lang)][key].text
        except KeyError:
            raise NoSuchText(f"no word {key!r} in the catalogue") from None

    def _known(self, lang: str) -> str:
        return lang if lang in self.languages else self.default_lang
