"""The brain, pure: hits, prompts, E2Rank, InsertRank, fusion. No I/O."""
