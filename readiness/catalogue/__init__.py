"""Items that are true of every application: `items/` says what each claims, `checks/` settles it."""
