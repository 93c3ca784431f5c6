"""In-context recall: transformers of two layers that learn to copy associations from their context."""
