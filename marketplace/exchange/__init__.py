"""What leaves the house: webhooks after the Standard Webhooks specification, and mail."""
