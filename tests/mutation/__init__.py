"""Mutation tests: plants one fault after another into a module, and lists those that no test notices."""
