"""Payout runs: what is due is proposed, released by a second person, paid, or fails and is due
again."""
