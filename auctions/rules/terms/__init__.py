"""Rules as JSON, read into Terms and shown again."""
