"""What formats are made of: base class, clock, step, overtime, reader of fields and words."""
