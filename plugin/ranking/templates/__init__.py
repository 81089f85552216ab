"""The templates of prompts: files that never change once they are released."""
