"""One network as a program for many: what lowering does with its numbers is noted, and done again with others.

Lowering and the passes run as always, on numbers that note what is computed from them (`recorder`) and how every
comparison came out. That is a straight Python function (`program`), good for all numbers for which the comparisons
come out the same; others are noted anew. A block's body has programs of its own, for the numbers that it is called
with (`units`), and so has a `for` that goes through a list which is not the same for all.
"""
