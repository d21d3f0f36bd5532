"""Transcripts of every format and scoring, made once by each version of the rules."""
