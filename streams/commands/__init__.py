"""The groups of commands behind `headrace`: each parses, calls one function and prints."""
