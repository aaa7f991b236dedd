"""The fixtures that an application gets."""
