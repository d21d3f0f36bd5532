"""The partner programme: versions with tiers, agreements, standing, certificates, plans."""
