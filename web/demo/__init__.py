"""`marketplace demo`: a buyer, a dozen bots and a live auction that anybody can join."""
