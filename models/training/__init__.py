"""The fine-tuning loop and the child process it runs in."""
