"""Reads the ledgers offices keep (xlsx, xls, CSV) into records, faults and questions; knows no database."""
