"""`python -m reminder` is the command `reminder`."""

from reminder.cli import main

if __name__ == "__main__":
    main()
