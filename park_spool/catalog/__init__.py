"""The services and reducers that a site has registered: manifests, inputs, and the look-up of names."""
