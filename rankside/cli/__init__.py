"""The ``rankside`` command, a module a command; ``root`` puts them together."""
