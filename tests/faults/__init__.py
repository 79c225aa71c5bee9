"""Every check seen to fail: one fault at a time, and what it turned."""
