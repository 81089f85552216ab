"""What `rankside doctor` looks at, a module a side."""
