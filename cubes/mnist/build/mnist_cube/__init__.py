"""The MNIST cube: fetch the data set and train a small network on it."""
