"""The only code that talks to Kafka and PostgreSQL."""
