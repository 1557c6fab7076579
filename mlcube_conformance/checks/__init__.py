"""What is checked: each check takes what was seen and returns what is wrong."""
