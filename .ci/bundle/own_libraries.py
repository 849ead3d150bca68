"""Runs first in the bundle on Linux: the libraries in it are ours, not those of what we start.

PyInstaller's loader sets LD_LIBRARY_PATH for the bundle and keeps what was there in
LD_LIBRARY_PATH_ORIG. The dynamic linker has read it by then; a ProxyCommand's `ssh`, or the browser
that opens a link, would load our OpenSSL and Qt in place of the system's.
"""

import os

before = os.environ.pop("LD_LIBRARY_PATH_ORIG", "")
if before:
    os.environ["LD_LIBRARY_PATH"] = before
else:
    os.environ.pop("LD_LIBRARY_PATH", None)
