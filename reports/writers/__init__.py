"""What people and programs read, one form a file. A writer is a function from a report and a folder to a path."""
