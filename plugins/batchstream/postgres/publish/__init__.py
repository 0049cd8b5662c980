"""The publish: its steps, the three ways to show a load (the first load, a merge, a swap), what stops and what refuses it."""
