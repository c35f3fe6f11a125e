"""What is written and where: values and decisions, no files."""
