"""The embedded services: a real broker and a real database as child processes of one clone."""
