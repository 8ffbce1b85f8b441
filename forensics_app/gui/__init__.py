"""The window: widgets over `forensics_app.core`, with every long piece of work in a thread of its own."""
