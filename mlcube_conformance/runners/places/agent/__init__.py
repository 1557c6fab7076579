"""What runs on the other machine; it needs nothing but Python."""
