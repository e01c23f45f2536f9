"""Results as HTML: one document that fetches nothing, and the same as a fragment for notebooks."""
