"""Extensions: features, one folder each. The `__init__.py` of a folder says all that it adds."""
