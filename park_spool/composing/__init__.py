"""Making sessions by hand: checking a text before it is sent, and a form of a service's command. See docs/web.md."""
