"""Properties and attachments of the stack's resources that the template does not declare.

Each resource is read as one document in the template's words (`readings`), attachments included. It is compared with
the resource in the processed template (`declarations`) and with AWS's defaults (`defaults.toml`). See
docs/adr/0035-undeclared.md.
"""
