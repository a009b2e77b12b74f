"""The contenders: the same world, the same libraries, three ways through it."""
