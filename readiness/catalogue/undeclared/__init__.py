"""What is set on a resource of the stack, or attached to it, and stands nowhere in the template.

Each resource is read as one document in the template's words (`readings`), attachments included, and compared with what the processed
template says of it (`declarations`) and with AWS's defaults (`defaults.toml`). See docs/adr/0035-undeclared.md.
"""
