"""Which machine is this to the database, and how far has it sent? Kept in files beside it, never in it."""

import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reminder.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class Instance:
    """The name of this data folder, and the highest row ever sent from it."""

    folder: Path

    @property
    def name(self) -> str:
        """Made on first use; a copy of the folder carries it along, a copy of the database alone does not."""
        path = self.folder / "instance"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: an empty name would be that of a database which nobody has armed.
            self._put("instance", uuid.uuid4().hex, anew=True)
        return path.read_text(encoding="ascii").strip()

    @property
    def sent_to(self) -> int:
        try:
            return int((self.folder / "sent-to").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def sent(self, row_id: int) -> None:
        """Remember, on the disk, before the message leaves: a database put back is then known as older."""
        if row_id <= self.sent_to:
            return
        self._put("sent-to", str(row_id))

    def _put(self, name: str, line: str, *, anew: bool = False) -> None:
        """Several processes may share the folder; of those that make it `anew` the first one does."""
        fresh = self.folder / f"{name}.{os.getpid()}.new"
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
        failpoint("instance.before_rename")
        if anew:
            with suppress(FileExistsError):
                (self.folder / name).hardlink_to(fresh)
            fresh.unlink()
        else:
            fresh.replace(self.folder / name)
