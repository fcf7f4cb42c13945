"""The doors to the outside: webhooks, health, meters."""
