"""From files to an index with document vectors: read, embed, write, resume, backfill, rebuild."""
