"""What hikers say of the trails."""
