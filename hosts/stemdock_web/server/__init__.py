"""Answers to requests: the gate, the addresses, and what each of them does."""
