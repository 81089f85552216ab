"""LLMs behind OpenAI's chat completions, and what stands between them and a search."""
