"""The data centre: one fetch of a remote data set for all nodes.  Until it is here, data is read directly."""
