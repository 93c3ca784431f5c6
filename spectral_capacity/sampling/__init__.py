"""What a memory learns from: random streams, item frequencies, batches, embeddings.

May import ``memory`` and what stands before it; figures import frequencies from here.
"""
