"""From the model to what runs where."""
