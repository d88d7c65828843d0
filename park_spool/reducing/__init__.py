"""What park-reduced does: replies into the archive, bundles, tallies, and the groups' reducers."""
