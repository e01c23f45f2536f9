"""The only importer of torch and of transformers' models; no tensor leaves it but into pooling."""
