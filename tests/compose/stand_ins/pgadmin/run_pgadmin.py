"""Where gunicorn finds pgAdmin."""

import builtins

builtins.SERVER_MODE = True

from pgAdmin4 import app  # noqa: E402, F401 - it reads SERVER_MODE while it is imported
