"""Samples in, stems out, in constant memory."""
