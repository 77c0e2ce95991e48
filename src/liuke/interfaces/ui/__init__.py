"""What the pages share: tokens, components, template tags, static files."""
