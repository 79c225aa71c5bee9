"""What runs inside a function's interpreter; nothing here may import the server or a library."""
