"""The live resources as objects. One kind a module, one fact a property, read once; nothing else calls boto3."""
