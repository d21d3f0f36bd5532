"""Use cases of the partner programme, one file a subject."""
