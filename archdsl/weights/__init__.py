"""Files of weights: what they hold, how they fit a network, and modules that have them."""
