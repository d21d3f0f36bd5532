"""Files of any subject (a tender, an order): versions, SHA-256, one list of allowed kinds."""
