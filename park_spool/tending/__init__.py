"""What park-spoold does: admit, plan, offer, take back, close."""
