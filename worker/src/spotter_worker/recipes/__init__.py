"""What can be trained: each recipe is a typed config and a function that builds model, data and
loss.
"""
