"""Engine access: first-stage hits out, vectors in, rescored searches through."""
