"""Do the files fit together: every kind in every language, every variable declared, every word everywhere?"""

from collections.abc import Iterator, Mapping

from reminder.domain.errors import Fault
from reminder.kinds import Kind
from reminder.template_files import Files, Placed


def unfitting(files: Files, kinds: Mapping[str, Kind], root: str, default_lang: str) -> Iterator[Fault]:
    """What each file alone does not show. `root` is the name of the folder in which missing files belong."""
    languages = sorted({lang for _, _, lang in files.texts})
    if default_lang not in languages:
        yield Fault(
            place=f"{root}/messages",
            what=f"There are no messages in the office's language {default_lang!r}.",
            remedy="Add them, or choose another language for the office.",
        )
    for (name, channel, lang), placed in files.texts.items():
        if name not in files.kinds:
            remedy = "Declare it in messages/kinds.toml, or delete the file."
            yield Fault(place=placed.place, what=f"No kind is named {name}.", remedy=remedy)
        elif name in kinds and not placed.is_faulty:
            yield from _unfitting_text(kinds[name], channel, lang, placed)
    for kind in kinds.values():
        yield from _missing_texts(files, kind, languages, root)
    for lang in files.words:
        if lang not in languages:
            remedy = f"End the name with one of {', '.join(languages)}, or add messages in it."
            yield Fault(place=f"{root}/words/{lang}.toml", what=f"No message is in {lang!r}.", remedy=remedy)
    yield from _unequal_words(files, languages, root)


def _unfitting_text(kind: Kind, channel: str, lang: str, placed: Placed) -> Iterator[Fault]:
    if channel not in kind.channels:
        what, remedy = (
            f"{kind.name} does not go by {channel}.",
            "Add the channel in kinds.toml, or delete it.",
        )
        yield Fault(place=placed.place, what=what, remedy=remedy)
    for variable in sorted(placed.text.placeholders - kind.variables):
        known = ", ".join(f"{{{name}}}" for name in sorted(kind.variables))
        what = f"{{{variable}}} is not a variable of {kind.name}."
        yield Fault(place=placed.place, what=what, remedy=f"Use {known}.")
    for variable in sorted(kind.variables - kind.optional - placed.text.placeholders):
        what, remedy = f"{{{variable}}} is missing in {lang}.", "Put it in, or mark it with ? in kinds.toml."
        yield Fault(place=placed.place, what=what, remedy=remedy)


def _missing_texts(files: Files, kind: Kind, languages: list[str], root: str) -> Iterator[Fault]:
    for lang in languages:
        for channel in kind.channels:
            if (kind.name, channel, lang) not in files.texts:
                yield Fault(
                    place=f"{root}/messages/{lang}/{kind.name}.{channel}.txt",
                    what="The template is missing.",
                    remedy="Write it, or take the channel from kinds.toml.",
                )


def _unequal_words(files: Files, languages: list[str], root: str) -> Iterator[Fault]:
    models: dict[str, Placed] = {}
    for lang in languages:
        models = {**files.words.get(lang, {}), **models}
    for lang in sorted(set(languages) - files.unread):
        for key, model in models.items():
            found = files.words.get(lang, {}).get(key)
            if found is None:
                what, remedy = f"{key} is missing.", f"Add it; {model.place} has it."
                yield Fault(place=f"{root}/words/{lang}.toml", what=what, remedy=remedy)
            elif found.is_faulty or model.is_faulty:
                continue
            elif found.text.placeholders != model.text.placeholders:
                what, remedy = f"{key} has other variables than {model.place}.", "Use the same in both."
                yield Fault(place=found.place, what=what, remedy=remedy)
