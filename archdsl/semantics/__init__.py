"""What names and expressions mean: values, types, functions, context, modules, and key maps."""
