"""Mutation testing of infrastructure: small changes to a template, and who notices them (docs/adr/0034-mutants.md).

`mutant` says what a mutant is, `operators` makes them, `equivalent.toml` names those that change nothing, and
`peers` asks other tools about the same templates.
"""
