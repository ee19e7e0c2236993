"""How a running stage is seen from outside: its metrics, whether it is well, its log."""
