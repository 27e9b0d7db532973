"""How good a model is, from labels and scores that one party may see."""
