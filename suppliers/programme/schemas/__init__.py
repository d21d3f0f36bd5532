"""The partner programme over the wire, one file a subject."""
