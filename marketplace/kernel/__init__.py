"""What every floor needs: errors, money, ids, time, settings, database and Redis."""
