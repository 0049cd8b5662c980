"""PostgreSQL: tables, ledger, landing, publish."""
