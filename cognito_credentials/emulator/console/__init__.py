"""
The page that a browser gets at ``/``: one HTML, one stylesheet, one script and an icon, as they are.

The script reads and acts by the calls under ``/_emulator/`` only, as any program may. Everything that it
shows came from strangers, and gets into the page as text, never as HTML.
"""
