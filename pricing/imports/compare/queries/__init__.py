"""What staged rows do to a list, as sets: everything here reads the list, and writes staging."""
