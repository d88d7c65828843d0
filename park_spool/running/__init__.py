"""What park-noded does: claim units and run their jobs in warm children, and answer."""
