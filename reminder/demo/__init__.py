"""A county's casework office on one machine, on a clock of its own: to see, to play with, to rehearse."""
